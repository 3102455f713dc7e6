/** A Python environment of the extension's own, for those who have no `personalizer` yet. */

import { join } from "node:path";

import { type Program } from "./command";

export interface Step extends Program {
  readonly title: string;
}

/** Where the program of a managed environment lies. */
export function managedProgram(folder: string, windows: boolean): string {
  return windows
    ? join(folder, "Scripts", "personalizer.exe")
    : join(folder, "bin", "personalizer");
}

/** Asks a Python for its version: one that is too old does not understand the steps. */
export function question(python: string): Program {
  return { command: python, args: ["-I", "-c", "import sys; print(*sys.version_info[:2])"] };
}

/** What to tell the user of a Python that is too old; undefined where it will do. */
export function tooOld(python: string, answer: string): string | undefined {
  const [major = 0, minor = 0] = answer.trim().split(" ").map(Number);
  return major > 3 || (major === 3 && minor >= 11)
    ? undefined
    : `Personalizer needs Python 3.11 or later, and ${python} is ${major}.${minor}`;
}

/** Where the extension brings the program along: no registry is asked for it, only for libraries. */
export function wheelOf(extension: string, version: string): string {
  return join(extension, "wheel", `personalizer-${version}-py3-none-any.whl`);
}

/**
 * What makes the environment: `venv`, then `pip` for the program and the libraries that it needs.
 *
 * @param python - A Python of 3.11 or later.
 * @param folder - Where; an older one there is replaced.
 * @param wheel - The program.
 */
export function steps(python: string, folder: string, wheel: string, windows: boolean): Step[] {
  const own = windows ? join(folder, "Scripts", "python.exe") : join(folder, "bin", "python");
  const install = ["-P", "-m", "pip", "install", "--disable-pip-version-check"];
  return [
    {
      title: "Making the environment",
      command: python,
      args: ["-P", "-m", "venv", "--clear", folder],
    },
    {
      title: "Installing (some 2 GB with PyTorch)",
      command: own,
      args: [...install, wheel],
    },
  ];
}
