/** The server's questions as a list to pick from: a notification's buttons hold no badges. */

/** An answer as the server puts it. */
export interface Action {
  readonly title: string;
  /** What the answer stands for; a further property, as LSP allows them. */
  readonly code?: string;
}

export interface Answer {
  readonly label: string;
  readonly description: string;
  /** As the server wants it back. */
  readonly action: Action;
}

/** What stands before what is known of a candidate. */
const ICONS: readonly [start: string, icon: string][] = [
  ["passes", "$(pass)"],
  ["compiles, fails", "$(warning)"],
  ["does not compile", "$(error)"],
];

/** `2. sums: passes, 2 new lines` as a name with what is known of it beside it. */
export function answerOf(action: Action): Answer {
  const { title } = action;
  const [, name = title, known = ""] = /^(?:\d+\. )?([^:]+): (.*)$/.exec(title) ?? [];
  const icon = ICONS.find(([start]) => known.startsWith(start))?.[1];
  return { label: icon === undefined ? name : `${icon} ${name}`, description: known, action };
}

export interface Preview {
  /** Every answer's code under its title. */
  readonly text: string;
  /** First and last line of each answer's part, from 0. */
  readonly lines: readonly (readonly [first: number, last: number])[];
}

/** The code of all answers on one page; undefined where an answer has none. */
export function previewOf(question: string, actions: readonly Action[]): Preview | undefined {
  // The list lies over the first lines of the page, one or so for each answer.
  const page = [
    `// ${question}`,
    "// None is in the project yet: the one",
    "// that you pick goes into it.",
  ];
  page.push(...actions.map(() => ""));
  const lines: [number, number][] = [];
  for (const { title, code } of actions) {
    if (code === undefined) {
      return undefined;
    }
    page.push("");
    const first = page.length;
    page.push(`// ${title}`, ...dedented(code.split(/\r?\n/)));
    lines.push([first, page.length - 1]);
  }
  return { text: `${page.join("\n")}\n`, lines };
}

/** Without the indentation that all lines share, and without empty lines around. */
function dedented(lines: readonly string[]): string[] {
  const full = lines.filter((line) => line.trim());
  const shared = Math.min(...full.map((line) => line.search(/\S/)));
  return lines
    .map((line) => line.slice(shared))
    .join("\n")
    .replace(/^\n+|\s+$/g, "")
    .split("\n");
}
