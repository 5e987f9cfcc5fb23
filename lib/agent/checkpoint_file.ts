import { type FileHandle, open, readFile, rename, stat } from 'node:fs/promises';
import path from 'node:path';
import { StrandError } from '../errors.js';

const PERMISSIONS = 0o777;

/** A text in a file, which is whole at every moment: it is written beside it, flushed, and renamed. */
export class CheckpointFile {
  readonly #path: string;
  #directory: FileHandle | undefined;
  /** Permissions of the file that was there. */
  #mode: number | undefined;
  #writing: Promise<void> | undefined;
  /** Begins when the present write is over. */
  #next: Promise<void> | undefined;

  private constructor(file: string) {
    this.#path = file;
  }

  /** @returns the file, and what it holds: undefined where there is none yet */
  static async open(
    file: string,
  ): Promise<{ readonly file: CheckpointFile; readonly text: string | undefined }> {
    const checkpoint = new CheckpointFile(file);
    try {
      // Renames are on the disk when the directory is.
      checkpoint.#directory = await open(path.dirname(file), 'r');
      const text = await readFile(file, 'utf8');
      checkpoint.#mode = (await stat(file)).mode & PERMISSIONS;
      return { file: checkpoint, text };
    } catch (cause) {
      if (checkpoint.#directory !== undefined && isMissing(cause))
        return { file: checkpoint, text: undefined };
      await checkpoint.close();
      throw fileError('read', file, cause);
    }
  }

  /**
   * Resolves when a text is on the disk that was asked for after this call. Calls while one is written share the next. Once
   * it has failed all that follow do.
   *
   * @param text called when the write begins
   */
  save(text: () => string): Promise<void> {
    this.#next ??= this.#writeNext(text);
    return this.#next;
  }

  /** Waits for what is being written, or is about to be. */
  async close(): Promise<void> {
    while (this.#next !== undefined) await this.#next.catch(() => {});
    await this.#writing?.catch(() => {});
    await this.#directory?.close();
    this.#directory = undefined;
  }

  async #writeNext(text: () => string): Promise<void> {
    try {
      await this.#writing;
    } finally {
      this.#next = undefined;
    }
    this.#writing = this.#write(text());
    await this.#writing;
  }

  async #write(text: string): Promise<void> {
    const beside = `${this.#path}.next`;
    try {
      const file = await open(beside, 'w');
      try {
        if (this.#mode !== undefined) await file.chmod(this.#mode);
        await file.writeFile(text);
        await file.datasync();
      } finally {
        await file.close();
      }
      await rename(beside, this.#path);
      await this.#directory?.sync();
    } catch (cause) {
      throw fileError('written', this.#path, cause);
    }
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}

function fileError(verb: 'read' | 'written', file: string, cause: unknown): StrandError {
  return new StrandError(
    'ERR_STRAND_FILE',
    `the checkpoint '${file}' cannot be ${verb}: ${(cause as Error).message}`,
    { cause },
  );
}
