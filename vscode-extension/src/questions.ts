/** The server's questions as a list to pick from: a notification's buttons hold no badges. */

export interface Answer {
  readonly label: string;
  readonly description: string;
  /** As the server put it, and wants it back. */
  readonly title: string;
}

/** What stands before what is known of a candidate. */
const ICONS: readonly [start: string, icon: string][] = [
  ["passes", "$(pass)"],
  ["compiles, fails", "$(warning)"],
  ["does not compile", "$(error)"],
];

/** `2. sums: passes, 2 new lines` as a name with what is known of it beside it. */
export function answerOf(title: string): Answer {
  const [, name = title, known = ""] = /^(?:\d+\. )?([^:]+): (.*)$/.exec(title) ?? [];
  const icon = ICONS.find(([start]) => known.startsWith(start))?.[1];
  return { label: icon === undefined ? name : `${icon} ${name}`, description: known, title };
}
