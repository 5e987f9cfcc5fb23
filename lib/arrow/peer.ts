import type * as Arrow from 'apache-arrow';
import { StrandError } from '../errors.js';

/** The user's copy of `apache-arrow`: what is made here and what the user makes must be of the same classes. */
export const arrow: typeof Arrow = await loadPeer();

/** @throws StrandError with the code `ERR_STRAND_PEER_MISSING` where the package is not installed */
async function loadPeer(): Promise<typeof Arrow> {
  try {
    return await import('apache-arrow');
  } catch (cause) {
    // A package that is there and fails to load has an error of its own to tell.
    if (!isMissing(cause)) throw cause;
    throw new StrandError(
      'ERR_STRAND_PEER_MISSING',
      "@strand/core/arrow needs the package 'apache-arrow', which is not installed: npm install apache-arrow",
      { cause },
    );
  }
}

function isMissing(error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return code === 'ERR_MODULE_NOT_FOUND' && String(message).includes("package 'apache-arrow'");
}
