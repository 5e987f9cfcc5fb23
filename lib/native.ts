import { closeSync, existsSync, openSync, readFileSync, readSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { StrandError } from './errors.js';
import type { NativeModule } from './native_types.js';

/** Bytes of an ELF file in which its program interpreter is named: behind the program headers, at the start. */
const ELF_HEAD_BYTES = 4096;

const load = createRequire(import.meta.url);

/**
 * Whether this Node.js runs on musl, by the program interpreter of its own binary. `process.report.getReport()` would
 * tell too, but waits for every worker of the calling thread, for ever if one is blocked in a native call.
 */
function isMusl(): boolean {
  if (process.platform !== 'linux') return false;
  const head = Buffer.alloc(ELF_HEAD_BYTES);
  try {
    const file = openSync('/proc/self/exe', 'r');
    try {
      readSync(file, head, 0, head.length, 0);
    } finally {
      closeSync(file);
    }
  } catch {
    return false;
  }
  return head.includes('/ld-musl-');
}

/** An error that says what is wrong with the addon and the one command that mends it. */
function nativeError(problem: string, packageRoot: URL, script: string, cause?: unknown): StrandError {
  const directory = fileURLToPath(packageRoot);
  const remedy = /[\\/]node_modules[\\/]/.test(directory)
    ? `npm explore @strand/core -- npm run build:native`
    : `npm run ${script}`;
  return new StrandError(
    'ERR_STRAND_NATIVE',
    `${problem} Build it with: ${remedy} (package in ${directory})`,
    cause === undefined ? {} : { cause },
  );
}

/**
 * Loads `prebuilds/<platform>-<arch>[-musl].node` of a package, and only if it was built from the sources that the
 * package's `dist/abi.json` names.
 *
 * @param packageRoot folder of the package, as a `file:` URL that ends in a slash
 * @throws StrandError with the code `ERR_STRAND_NATIVE`: missing, not loadable, or built from other sources
 */
export function loadNative(packageRoot: URL): NativeModule {
  const target = `${process.platform}-${process.arch}${isMusl() ? '-musl' : ''}`;
  const file = fileURLToPath(new URL(`prebuilds/${target}.node`, packageRoot));
  if (!existsSync(file)) {
    throw nativeError(
      `Strand has no native addon for ${target}: ${file} does not exist.`,
      packageRoot,
      'build:native',
    );
  }

  const { abi } = JSON.parse(readFileSync(new URL('dist/abi.json', packageRoot), 'utf8')) as { abi: string };
  let native: NativeModule;
  try {
    native = load(file) as NativeModule;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw nativeError(
      `Strand's native addon ${file} does not load: ${reason}.`,
      packageRoot,
      'build:native',
      cause,
    );
  }
  if (native.abi !== abi) {
    const built = `it was built from sources ${native.abi}, the package's are ${abi}`;
    // In a checkout either side may be the older one, so both are built.
    throw nativeError(`Strand's native addon ${file} is stale: ${built}.`, packageRoot, 'build');
  }
  return native;
}

/** The addon; each thread that imports this module loads it once. */
export const native: NativeModule = loadNative(new URL('../', import.meta.url));
