/** The status bar item. */

import * as vscode from "vscode";

import { type ServerState, type Status, statusFor, view } from "./status";

export class StatusBar implements vscode.Disposable {
  private readonly item: vscode.StatusBarItem;
  private readonly statuses = new Map<string, Status>();
  private server: ServerState = "starting";
  private readonly listener: vscode.Disposable;

  constructor() {
    this.item = vscode.window.createStatusBarItem("status", vscode.StatusBarAlignment.Right, 90);
    this.item.name = "Personalizer";
    this.listener = vscode.window.onDidChangeActiveTextEditor(() => {
      this.draw();
    });
    this.draw();
    this.item.show();
  }

  setServer(state: ServerState): void {
    this.server = state;
    if (state !== "running") {
      this.statuses.clear();
    }
    this.draw();
  }

  setStatus(status: Status): void {
    this.statuses.set(status.workspace, status);
    this.draw();
  }

  dispose(): void {
    this.listener.dispose();
    this.item.dispose();
  }

  private draw(): void {
    const file = vscode.window.activeTextEditor?.document.uri.toString();
    const shown = view(this.server, statusFor(this.statuses, file));
    this.item.text = shown.text;
    this.item.tooltip = shown.tooltip.join("\n");
    this.item.backgroundColor = shown.warning
      ? new vscode.ThemeColor("statusBarItem.warningBackground")
      : undefined;
    this.item.command =
      this.server === "stopped" ? "personalizer.restartServer" : "personalizer.showStatusHere";
  }
}
