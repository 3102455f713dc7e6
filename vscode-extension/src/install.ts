/** Offers to make the managed environment, and makes it with progress that can be cancelled. */

import { existsSync } from "node:fs";

import * as vscode from "vscode";

import { type Program } from "./command";
import { question, steps, tooOld } from "./environment";
import { run } from "./processes";

/**
 * @param folder - Of the environment.
 * @param wheel - The program, which the extension brings along.
 * @returns whether the environment is there now.
 */
export async function install(
  folder: string,
  wheel: string,
  log: vscode.LogOutputChannel,
): Promise<boolean> {
  const windows = process.platform === "win32";
  return vscode.window.withProgress(
    {
      location: vscode.ProgressLocation.Notification,
      title: "Personalizer",
      cancellable: true,
    },
    async (progress, token) => {
      const ending = new AbortController();
      token.onCancellationRequested(() => {
        ending.abort();
      });
      try {
        const python = windows ? "python" : "python3";
        const logged = (program: Program) => {
          log.info([program.command, ...program.args].join(" "));
          return run(
            program,
            (line) => {
              log.info(line);
            },
            ending.signal,
          );
        };
        if (!existsSync(wheel)) {
          throw new Error("this build of the extension brings no program along");
        }
        const complaint = tooOld(python, await logged(question(python)));
        if (complaint !== undefined) {
          throw new Error(complaint);
        }
        for (const step of steps(python, folder, wheel, windows)) {
          progress.report({ message: step.title });
          await logged(step);
        }
        return true;
      } catch (error) {
        if (!token.isCancellationRequested) {
          const told = error instanceof Error ? error.message : String(error);
          const chosen = await vscode.window.showErrorMessage(
            `The environment could not be made: ${told}`,
            "Show Log",
          );
          if (chosen === "Show Log") {
            log.show();
          }
        }
        return false;
      }
    },
  );
}
