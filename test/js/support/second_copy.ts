import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/**
 * Puts another copy of the built package elsewhere, so that both are loaded side by side.
 *
 * @param addon a file of its own, or the same one, by a link
 */
export function copyPackage(addon: 'own' | 'same'): { readonly index: string; remove(): void } {
  const directory = mkdtempSync(path.join(tmpdir(), 'strand-copy-'));
  for (const name of ['dist', 'lib', 'prebuilds', 'package.json']) {
    const [from, to] = [path.join(root, name), path.join(directory, name)];
    if (name === 'prebuilds' && addon === 'same') symlinkSync(from, to);
    else cpSync(from, to, { recursive: true });
  }
  return {
    index: pathToFileURL(path.join(directory, 'dist/index.js')).href,
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
