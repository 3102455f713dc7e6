/** Programs that run beside the editor, and what they say. */

import { spawn } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";

import { type Program } from "./command";

/** Whether a file is there that may be run: no folder, and on POSIX one with that permission. */
export function mayRun(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/**
 * Runs a program to its end.
 *
 * @param tell - Is given each line that it writes to either stream; a bar that is drawn over is
 *   one line each time.
 * @returns what it wrote to standard output.
 * @throws Error with the last line when it fails, and an `AbortError` when it was ended.
 */
export function run(
  program: Program,
  tell: (line: string) => void,
  signal: AbortSignal,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program.command, program.args, {
      signal,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let written = "";
    let last = "";
    const take = (text: string) => {
      for (const line of text.split(/[\r\n]+/).filter((one) => one.trim() !== "")) {
        last = line;
        tell(line);
      }
    };
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      written += text;
      take(text);
    });
    child.stderr.setEncoding("utf8").on("data", take);
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) {
        resolve(written);
      } else {
        reject(new Error(last || `${program.command} ended with code ${code ?? "?"}`));
      }
    });
  });
}
