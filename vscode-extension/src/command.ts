/** Which program is `personalizer`. */

import { delimiter, join } from "node:path";

export interface Wishes {
  /** `personalizer.command`: a program and its first arguments; empty when not set. */
  readonly command: readonly string[];
  /** `personalizer.interpreter`: a Python that has Personalizer; empty when not set. */
  readonly interpreter: string;
}

export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  /** The first workspace folder; undefined where none is open. */
  readonly folder: string | undefined;
  readonly windows: boolean;
  /** The program of the environment that the extension makes when it is asked to. */
  readonly managed: string;
  /** Whether a file is there and may be run. */
  readonly runs: (path: string) => boolean;
}

export interface Program {
  readonly command: string;
  readonly args: readonly string[];
}

/** No program can be started; the message is for the user. */
export class NoProgram extends Error {}

/**
 * The command line of `personalizer`, its own arguments left out: that of the settings, else
 * `personalizer` on PATH, else that of the managed environment.
 *
 * @throws NoProgram if there is none.
 */
export function personalizer(wishes: Wishes, around: Surroundings): Program {
  const [first, ...rest] = wishes.command;
  if (first !== undefined) {
    return { command: located(first, "personalizer.command", around), args: rest };
  }
  if (wishes.interpreter !== "") {
    const command = located(wishes.interpreter, "personalizer.interpreter", around);
    return { command, args: ["-P", "-m", "personalizer"] };
  }
  const managed = around.runs(around.managed) ? around.managed : undefined;
  const command = onPath("personalizer", around) ?? managed;
  if (command === undefined) {
    throw new NoProgram(
      "Personalizer needs the program `personalizer`, and none is on PATH: " +
        "install it with `pip install personalizer`, or name it in personalizer.command",
    );
  }
  return { command, args: [] };
}

/** A command line with further arguments. */
export function withArguments(program: Program, ...more: string[]): Program {
  return { command: program.command, args: [...program.args, ...more] };
}

function located(name: string, setting: string, around: Surroundings): string {
  const path = expanded(name, around);
  const found = /[\\/]/.test(path) ? (around.runs(path) ? path : undefined) : onPath(path, around);
  if (found === undefined) {
    throw new NoProgram(`${setting} names ${path}, and there is no such program`);
  }
  return found;
}

/** `~/` is the home folder, `${workspaceFolder}` the first folder of the workspace. */
function expanded(path: string, around: Surroundings): string {
  const inHome = /^~(?=[\\/])/.test(path) ? around.home + path.slice(1) : path;
  return around.folder === undefined
    ? inHome
    : inHome.replaceAll("${workspaceFolder}", around.folder);
}

function onPath(name: string, around: Surroundings): string | undefined {
  const folders = (around.environment.PATH ?? "").split(delimiter).filter((one) => one !== "");
  const suffixes = around.windows ? [".exe", ".cmd", ".bat", ""] : [""];
  return folders
    .flatMap((folder) => suffixes.map((suffix) => join(folder, name + suffix)))
    .find((path) => around.runs(path));
}
