import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** Absolute path of the package. */
export const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * Every file below some folders of the package, as sorted paths relative to it with forward slashes. A folder that
 * does not exist holds no files.
 *
 * @param {string[]} folders relative to the package
 * @param {(name: string) => boolean} accept decides by the file's base name
 */
export function filesUnder(folders, accept) {
  return folders
    .map((folder) => path.join(root, folder))
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && accept(entry.name))
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .sort();
}

export const isCpp = (name) => /\.(cc|h)$/.test(name);
