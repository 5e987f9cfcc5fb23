/** What a thread needs to take part in a registry: plain, for `workerData` and `postMessage`. */
export interface RegistryData {
  /** The table of keys, versions and locks. Values are not in it. */
  readonly table: SharedArrayBuffer;
}
