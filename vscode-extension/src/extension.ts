/** Starts the language server beside the Java one, and shows what it says. */

import * as vscode from "vscode";
import { type ProgressToken } from "vscode-languageclient/node";

import { registerCommands } from "./commands";
import { NoProgram } from "./command";
import { openNotification } from "./notification";
import { ProgressNotes } from "./progress";
import { Crashes, Restarts } from "./restarts";
import { PersonalizerServer } from "./server";
import { StatusBar } from "./statusBar";
import { versionAdvice } from "./version";

let restarts: Restarts | undefined;

export function activate(context: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel("Personalizer", { log: true });
  const bar = new StatusBar();
  const crashes = new Crashes();
  const progress = new ProgressNotes<ProgressToken>(openNotification, (token) => {
    server.cancelProgress(token);
  });
  const server = new PersonalizerServer(
    log,
    {
      state: (state) => {
        bar.setServer(state);
      },
      status: (status) => {
        bar.setStatus(status);
      },
      crashed: () => {
        if (crashes.worthARestart()) {
          void restart();
        } else {
          void complain("Personalizer's language server ended again and again.");
        }
      },
    },
    progress,
  );
  const queue = new Restarts(server);
  restarts = queue;

  async function restart(): Promise<void> {
    try {
      await queue.restart();
      const own = (context.extension.packageJSON as { version: string }).version;
      const advice = versionAdvice(own, server.version);
      if (advice !== undefined) {
        void vscode.window.showInformationMessage(advice);
      }
    } catch (error) {
      log.error(error instanceof Error ? error : String(error));
      await complain(
        error instanceof NoProgram
          ? error.message
          : `Personalizer's language server does not start: ${String(error)}`,
      );
    }
  }

  async function complain(message: string): Promise<void> {
    const chosen = await vscode.window.showErrorMessage(message, "Show Log", "Open Settings");
    if (chosen === "Show Log") {
      log.show();
    } else if (chosen === "Open Settings") {
      await vscode.commands.executeCommand("workbench.action.openSettings", "personalizer");
    }
  }

  context.subscriptions.push(
    log,
    bar,
    ...registerCommands(
      server,
      async () => {
        crashes.forget();
        await restart();
      },
      log,
    ),
    vscode.workspace.onDidGrantWorkspaceTrust(() => {
      void restart(); // The settings that a folder may not make before it is trusted count now.
    }),
    vscode.workspace.onDidChangeConfiguration((change) => {
      const program = ["command", "interpreter"].map((name) => `personalizer.${name}`);
      if (program.some((name) => change.affectsConfiguration(name))) {
        void restart();
      } else if (change.affectsConfiguration("personalizer")) {
        void server.configure();
      }
    }),
  );
  void restart();
}

export async function deactivate(): Promise<void> {
  await restarts?.end();
}
