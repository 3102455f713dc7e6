/** When to propose that a stale adapter is trained anew: once for what has changed, and seldom. */

import { type Status, trains } from "./status";

/** The last proposal for a folder. */
export interface Proposed {
  /** The adapter, and the project as it was. */
  readonly contents: string;
  /** Milliseconds. */
  readonly at: number;
}

/** While tests are written the project changes all the time; nobody is asked at each save. */
const PAUSE = 60 * 60_000;

/**
 * What to remember when the user is asked now; undefined where there is nothing to ask.
 *
 * @param last - What was proposed for the folder before, whatever the answer was.
 */
export function proposal(
  status: Status,
  last: Proposed | undefined,
  now: number,
): Proposed | undefined {
  if (status.retraining?.mode !== "ask" || trains(status)) {
    return undefined;
  }
  const contents = `${status.adapter ?? ""} ${status.contents ?? ""}`;
  if (last !== undefined && (last.contents === contents || now - last.at < PAUSE)) {
    return undefined;
  }
  return { contents, at: now };
}
