/** What an agent says of frames. `letter` is `onDeadLetter`, `deadLetter` the event behind it. */
export type ReportKind = 'answer' | 'expired' | 'decodeError' | 'letter' | 'deadLetter' | 'inDoubt';

export interface Report {
  readonly kind: ReportKind;
  /** Where the frames begin. */
  readonly cursors: readonly number[];
  /** Of those in doubt: whether they are sent again. */
  readonly retried?: boolean;
  /** Of those in doubt: whether an earlier process has sent them. */
  readonly isOld?: boolean;
}

interface Limits {
  readonly concurrency: number;
  readonly maxBatchMessages: number;
}

/** What has become of a frame, as far as the service and the reports say. */
interface Frame {
  /** Frames in front of it. */
  readonly index: number;
  served: number;
  /** How often it was reported in doubt. */
  doubts: number;
  /** What it ended with, and in which life that was told last. */
  end: 'answer' | 'expired' | 'decodeError' | 'deadLetter' | undefined;
  toldIn: number;
  letteredIn: number;
  /** It is to be sent again, or judged. */
  isOwed: boolean;
  /** It was in doubt, and is not to be sent again. */
  isLeft: boolean;
}

/**
 * What happens to the frames of a log that an agent follows through many lives, in the order in which it happens. Whatever breaks
 * the agent's promise is noted.
 */
export class AgentHistory {
  /** What was broken, in words. */
  readonly broken: string[] = [];
  readonly counts: Record<ReportKind | 'served' | 'servedTwice', number> = {
    served: 0,
    servedTwice: 0,
    answer: 0,
    expired: 0,
    decodeError: 0,
    letter: 0,
    deadLetter: 0,
    inDoubt: 0,
  };
  readonly #limits: Limits;
  readonly #frames = new Map<number, Frame>();
  #life = 0;
  /** Batches that an earlier life has left in doubt. */
  #oldDoubts = 0;
  /** Frames up to the last of which something is known. */
  #reached = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  get frames(): number {
    return this.#frames.size;
  }

  /** Frames behind the last of which something is known. */
  get ahead(): number {
    return this.#frames.size - this.#reached;
  }

  appended(cursor: number): void {
    this.#frames.set(cursor, {
      index: this.#frames.size,
      served: 0,
      doubts: 0,
      end: undefined,
      toldIn: -1,
      letteredIn: -1,
      isOwed: false,
      isLeft: false,
    });
  }

  /** Another process takes over. */
  restarted(): void {
    this.#life++;
    this.#oldDoubts = 0;
  }

  served(cursors: readonly number[]): void {
    this.#each(cursors, (frame, breaks) => {
      if (frame.end !== undefined) breaks(`was sent although it had ended: ${frame.end}`);
      if (frame.isLeft) breaks('was sent although it was in doubt and not to be sent again');
      if (frame.served > frame.doubts) breaks('was sent again, and nobody was told that it is in doubt');
      if (frame.served === 1) this.counts.servedTwice++;
      frame.served++;
      frame.isOwed = false;
      this.counts.served++;
    });
  }

  reported(report: Report): void {
    const { kind, cursors } = report;
    this.counts[kind] += cursors.length;
    if (cursors.length === 0) this.broken.push(`life ${this.#life}: a report of no frames: ${kind}`);
    if (kind === 'inDoubt') this.#doubted(report);
    else if (kind === 'letter') this.#lettered(cursors);
    else this.#ended(kind, cursors);
  }

  /** The log has been followed to its end. */
  finished(): void {
    this.#each(this.#frames.keys(), (frame, breaks) => {
      if (frame.served === 0 && frame.doubts === 0 && frame.end === undefined) breaks('is lost');
      if (frame.isOwed) breaks('was in doubt and to be sent again, and was not');
    });
  }

  #doubted({ cursors, retried, isOld }: Report): void {
    const { concurrency, maxBatchMessages } = this.#limits;
    if (cursors.length > maxBatchMessages) this.broken.push(`${cursors.length} frames of a batch in doubt`);
    if (isOld && ++this.#oldDoubts > concurrency) {
      this.broken.push(`life ${this.#life}: ${this.#oldDoubts} batches in doubt from an earlier life`);
    }
    this.#each(cursors, (frame, breaks) => {
      if (frame.end !== undefined) breaks(`was reported in doubt although it had ended: ${frame.end}`);
      frame.doubts++;
      frame.isOwed = retried === true;
      frame.isLeft = retried === false;
    });
  }

  #lettered(cursors: readonly number[]): void {
    this.#each(cursors, (frame, breaks) => {
      if (frame.end === 'deadLetter' && frame.toldIn === this.#life) breaks('was given up twice in one life');
      if (frame.letteredIn === this.#life) breaks('was handed over as a dead letter twice in one life');
      frame.letteredIn = this.#life;
    });
    this.#judged('deadLetter', cursors);
  }

  #ended(kind: Exclude<ReportKind, 'letter' | 'inDoubt'>, cursors: readonly number[]): void {
    this.#each(cursors, (frame, breaks) => {
      // A verdict may be told again by the process behind the one that has recorded it; an answer never is.
      if (frame.toldIn === this.#life || (kind === 'answer' && frame.end === 'answer'))
        breaks(`${kind} twice`);
      if (kind === 'deadLetter' && frame.letteredIn !== this.#life)
        breaks('was told of before it was handed over');
      frame.toldIn = this.#life;
    });
    this.#judged(kind, cursors);
  }

  #judged(kind: Exclude<ReportKind, 'letter' | 'inDoubt'>, cursors: readonly number[]): void {
    this.#each(cursors, (frame, breaks) => {
      if (frame.end !== undefined && frame.end !== kind)
        breaks(`was reported as ${kind}, behind ${frame.end}`);
      if (frame.isLeft) breaks(`was in doubt and done with, and then reported as ${kind}`);
      const answers = kind === 'answer' ? 1 : 0;
      if (frame.served < answers) breaks('was answered, and never sent');
      if (frame.served - answers > frame.doubts) breaks(`was sent, and not in doubt, before it was ${kind}`);
      frame.end = kind;
      frame.isOwed = false;
    });
  }

  #each(cursors: Iterable<number>, look: (frame: Frame, breaks: (what: string) => void) => void): void {
    for (const cursor of cursors) {
      const breaks = (what: string): void => {
        this.broken.push(`life ${this.#life}: the frame at ${cursor} ${what}`);
      };
      const frame = this.#frames.get(cursor);
      if (frame === undefined) {
        breaks('is none');
        continue;
      }
      this.#reached = Math.max(this.#reached, frame.index + 1);
      look(frame, breaks);
    }
  }
}
