/** A quiet notification when a stale adapter should be trained anew. */

import * as vscode from "vscode";

import { proposal, type Proposed } from "./proposal";
import { type Status } from "./status";

/**
 * @param memory - Of the workspace: an answer holds for as long as the project stays as it is.
 * @param train - Trains the folder.
 */
export async function propose(
  status: Status,
  memory: vscode.Memento,
  train: (workspace: string) => Promise<void>,
): Promise<void> {
  const key = `proposed ${status.workspace}`;
  const asked = proposal(status, memory.get<Proposed>(key), Date.now());
  if (asked === undefined || !vscode.workspace.isTrusted) {
    return;
  }
  await memory.update(key, asked);
  const yes = "Train Now";
  const why = status.retraining?.why ?? "the project has changed";
  const message = `The adapter of this project is stale: ${why}.`;
  const chosen = await vscode.window.showInformationMessage(message, yes, "Not Now");
  if (chosen === yes) {
    await train(status.workspace);
  }
}
