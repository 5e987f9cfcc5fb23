import { mkdtempSync } from 'node:fs';
import path from 'node:path';

/** A folder in memory where there is one: disks are another matter. */
export function freshFolder() {
  try {
    return mkdtempSync('/dev/shm/strand-bench-');
  } catch {
    return mkdtempSync(path.join(process.env.TMPDIR ?? '/tmp', 'strand-bench-'));
  }
}
