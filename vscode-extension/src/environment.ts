/** A Python environment of the extension's own, for those who have no `personalizer` yet. */

import { spawn } from "node:child_process";
import { join } from "node:path";

export interface Step {
  readonly title: string;
  readonly command: string;
  readonly args: readonly string[];
}

/** Where the program of a managed environment lies. */
export function managedProgram(folder: string, windows: boolean): string {
  return windows
    ? join(folder, "Scripts", "personalizer.exe")
    : join(folder, "bin", "personalizer");
}

/**
 * What makes the environment: `venv`, then `pip` for the version that fits this extension.
 *
 * @param python - A Python of 3.11 or later.
 * @param folder - Where; an older one there is replaced.
 */
export function steps(python: string, folder: string, version: string, windows: boolean): Step[] {
  const own = windows ? join(folder, "Scripts", "python.exe") : join(folder, "bin", "python");
  const install = ["-m", "pip", "install", "--disable-pip-version-check"];
  return [
    {
      title: "Making the environment",
      command: python,
      args: ["-m", "venv", "--clear", folder],
    },
    {
      title: "Installing (some 2 GB with PyTorch)",
      command: own,
      args: [...install, `personalizer==${version}`],
    },
  ];
}

/** Runs one step; each line that it writes is told. Rejects with the last line when it fails. */
export function run(step: Step, tell: (line: string) => void, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(step.command, step.args, { signal, stdio: ["ignore", "pipe", "pipe"] });
    let last = "";
    const take = (data: Buffer) => {
      for (const line of data.toString().split(/\r?\n/).filter((one) => one.trim() !== "")) {
        last = line;
        tell(line);
      }
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) {
        resolve();
      } else {
        reject(new Error(last || `${step.command} ended with code ${code ?? "?"}`));
      }
    });
  });
}
