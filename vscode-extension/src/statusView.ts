/**
 * The status view in a panel: the daemon's page, brought by the language server. Nothing is fetched
 * from anywhere, so it works in remote windows too.
 */

import * as vscode from "vscode";

import { type Act, actOf } from "./acts";
import { Throttle } from "./throttle";

/** What the panel asks of the server. */
export interface Source {
  page(workspace: string): Promise<string>;
  act(workspace: string, act: Act): Promise<string>;
}

export class StatusView implements vscode.Disposable {
  private readonly panels = new Map<string, vscode.WebviewPanel>();
  private readonly refreshing = new Map<string, Throttle>();

  constructor(
    private readonly source: Source,
    private readonly icon: vscode.Uri,
  ) {}

  /** Shows the view of a folder, beside the code. */
  async show(folder: vscode.WorkspaceFolder): Promise<void> {
    const workspace = folder.uri.toString();
    const known = this.panels.get(workspace);
    if (known) {
      known.reveal(undefined, true);
      this.refresh(workspace);
      return;
    }
    const panel = vscode.window.createWebviewPanel(
      "personalizer.status",
      `Personalizer: ${folder.name}`,
      { viewColumn: vscode.ViewColumn.Beside, preserveFocus: false },
      { enableScripts: true, localResourceRoots: [], retainContextWhenHidden: true },
    );
    panel.iconPath = this.icon;
    panel.webview.onDidReceiveMessage((message: unknown) => this.take(workspace, message));
    panel.onDidDispose(() => {
      this.panels.delete(workspace);
      this.refreshing.get(workspace)?.end();
    });
    this.panels.set(workspace, panel); // before the page comes: a second click finds it
    this.refreshing.set(workspace, new Throttle(() => this.bring(workspace)));
    try {
      panel.webview.html = await this.source.page(workspace);
    } catch (error) {
      panel.dispose();
      throw error;
    }
  }

  /** Shows a folder as it now is, if it is shown at all; seldom where that takes long. */
  refresh(workspace: string): void {
    if (this.panels.has(workspace)) {
      this.refreshing.get(workspace)?.wish();
    }
  }

  dispose(): void {
    for (const panel of this.panels.values()) {
      panel.dispose();
    }
  }

  private async bring(workspace: string): Promise<void> {
    try {
      const html = await this.source.page(workspace);
      await this.panels.get(workspace)?.webview.postMessage({ html });
    } catch {
      // The server has ended meanwhile: the status bar says so.
    }
  }

  private async take(workspace: string, message: unknown): Promise<void> {
    const act = actOf(message);
    if (act === undefined) {
      return;
    }
    if (act.act === "train" && !vscode.workspace.isTrusted) {
      void vscode.window.showWarningMessage("Trust this workspace first, then train on it.");
      return;
    }
    try {
      const said = await this.source.act(workspace, act);
      void vscode.window.setStatusBarMessage(`Personalizer: ${said}`, 5000);
    } catch (error) {
      const told = error instanceof Error ? error.message : String(error);
      void vscode.window.showErrorMessage(told);
    }
    this.refresh(workspace);
  }
}
