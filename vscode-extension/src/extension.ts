/** Starts the language server beside the Java one, and shows what it says. */

import * as vscode from "vscode";
import { type ProgressToken } from "vscode-languageclient/node";

import { NoProgram } from "./command";
import { registerCommands } from "./commands";
import { managedProgram, wheelOf } from "./environment";
import { install } from "./install";
import { openNotification, tellOutcome } from "./notification";
import { ProgressNotes } from "./progress";
import { propose } from "./propose";
import { Crashes, Restarts } from "./restarts";
import { PersonalizerServer } from "./server";
import { StatusBar } from "./statusBar";
import { StatusView } from "./statusView";
import { versionAdvice } from "./version";

let restarts: Restarts | undefined;

export function activate(context: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel("Personalizer", { log: true });
  const bar = new StatusBar();
  const { version } = context.extension.packageJSON as { version: string };
  const managed = vscode.Uri.joinPath(context.globalStorageUri, "python").fsPath;
  const crashes = new Crashes();
  const progress = new ProgressNotes<ProgressToken>(
    openNotification,
    (token) => {
      server.cancelProgress(token);
    },
    tellOutcome,
  );
  const server = new PersonalizerServer(
    log,
    {
      state: (state) => {
        bar.setServer(state);
      },
      status: (status) => {
        bar.setStatus(status);
        statusView.refresh(status.workspace);
        propose(status, context.workspaceState, (workspace) =>
          server.execute("personalizer.train", workspace),
        ).catch((error: unknown) => {
          log.error(error instanceof Error ? error : String(error));
        });
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
    managedProgram(managed, process.platform === "win32"),
  );
  const statusView = new StatusView(
    server,
    vscode.Uri.joinPath(context.extensionUri, "media", "icon.png"),
  );
  const queue = new Restarts(server);
  restarts = queue;

  async function restart(): Promise<void> {
    try {
      await queue.restart();
      const advice = versionAdvice(version, server.version);
      if (advice !== undefined) {
        void vscode.window.showInformationMessage(advice);
      }
    } catch (error) {
      log.error(error instanceof Error ? error : String(error));
      if (error instanceof NoProgram) {
        await offer(error.message);
      } else {
        await complain(`Personalizer's language server does not start: ${String(error)}`);
      }
    }
  }

  /** The program is missing: the user may have it installed, or say where it is. */
  async function offer(message: string): Promise<void> {
    const chosen = await vscode.window.showErrorMessage(
      message,
      "Install for Me",
      "Open Settings",
      "Show Log",
    );
    if (chosen === "Install for Me") {
      if (await install(managed, wheelOf(context.extensionPath, version), log)) {
        await restart();
      }
    } else {
      await follow(chosen);
    }
  }

  async function complain(message: string): Promise<void> {
    await follow(await vscode.window.showErrorMessage(message, "Show Log", "Open Settings"));
  }

  async function follow(chosen: string | undefined): Promise<void> {
    if (chosen === "Show Log") {
      log.show();
    } else if (chosen === "Open Settings") {
      await vscode.commands.executeCommand("workbench.action.openSettings", "personalizer");
    }
  }

  context.subscriptions.push(
    log,
    bar,
    statusView,
    ...registerCommands(
      server,
      statusView,
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
