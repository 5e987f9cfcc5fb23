/** Whether every object has a property of this name, which then counts only where a record has its own. */
export function isInherited(name: string): boolean {
  return name in Object.prototype;
}
