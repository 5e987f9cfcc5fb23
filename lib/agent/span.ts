/** Cursors of where a frame begins and where it ends. */
export interface Place {
  readonly from: number;
  readonly to: number;
}

/** A stretch of a log: cursors of where it begins and where it ends, both the beginnings of frames. */
export type Span = readonly [from: number, to: number];

/** As few spans as possible over frames in their order. */
export function spansOf(places: Iterable<Place>): Span[] {
  const spans: [number, number][] = [];
  for (const { from, to } of places) {
    const last = spans.at(-1);
    if (last !== undefined && last[1] === from) last[1] = to;
    else spans.push([from, to]);
  }
  return spans;
}
