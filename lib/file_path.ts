import { fileURLToPath } from 'node:url';
import { describeValue } from './describe_value.js';
import { argumentError } from './errors.js';

/** A path as it was given, or a file URL's. @param owner whose path it is, for the message: "a log's" */
export function filePathOf(path: unknown, owner: string): string {
  if (path instanceof URL) return fileURLToPath(path);
  if (typeof path !== 'string' || path === '') {
    throw argumentError(`${owner} path is a non-empty string or a file URL, got ${describeValue(path)}`);
  }
  return path;
}
