import { describe, expect, it } from "vitest";

import { Crashes, Restarts } from "../src/restarts";

/** A server that notes what is done to it and starts when it is let. */
class FakeServer {
  readonly done: string[] = [];
  readonly let: (() => void)[] = [];
  failures = 0;

  async start(): Promise<void> {
    this.done.push("start");
    await new Promise<void>((resolve) => this.let.push(resolve));
    if (this.failures > 0) {
      this.failures -= 1;
      throw new Error("no such program");
    }
    this.done.push("up");
  }

  stop(): Promise<void> {
    this.done.push("stop");
    return Promise.resolve();
  }

  /** Lets the start under way come to its end. */
  async settle(): Promise<void> {
    await until(() => this.let.length > 0);
    this.let.shift()?.();
  }
}

async function until(found: () => boolean): Promise<void> {
  while (!found()) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

describe("restarts", () => {
  it("never overlap", async () => {
    const server = new FakeServer();
    const queue = new Restarts(server);
    const first = queue.restart();
    await until(() => server.let.length > 0);
    const second = queue.restart();
    expect(server.done).toEqual(["stop", "start"]);
    await server.settle();
    await first;
    await server.settle();
    await second;
    expect(server.done).toEqual(["stop", "start", "up", "stop", "start", "up"]);
  });

  it("that are asked for meanwhile become one", async () => {
    const server = new FakeServer();
    const queue = new Restarts(server);
    const first = queue.restart();
    await until(() => server.let.length > 0);
    const more = [queue.restart(), queue.restart(), queue.restart()];
    await server.settle();
    await server.settle();
    await Promise.all([first, ...more]);
    expect(server.done.filter((one) => one === "up")).toHaveLength(2);
  });

  it("tell of a server that does not start, and go on", async () => {
    const server = new FakeServer();
    server.failures = 1;
    const queue = new Restarts(server);
    const first = queue.restart();
    await until(() => server.let.length > 0);
    const second = queue.restart();
    await server.settle();
    await expect(first).rejects.toThrow("no such program");
    await server.settle();
    await second;
    expect(server.done.at(-1)).toBe("up");
  });

  it("end with the server stopped and no other started", async () => {
    const server = new FakeServer();
    const queue = new Restarts(server);
    const first = queue.restart();
    await until(() => server.let.length > 0);
    const second = queue.restart();
    const end = queue.end();
    await server.settle();
    await Promise.all([first, second, end]);
    expect(server.done.filter((one) => one === "start")).toHaveLength(1);
    expect(server.done.at(-1)).toBe("stop");
  });
});

describe("a server that never comes up", () => {
  it("makes way for the next start, which answers both", async () => {
    const server = new FakeServer();
    const queue = new Restarts(server, 60_000, 10);
    const first = queue.restart();
    await until(() => server.let.length > 0);
    const second = queue.restart();
    await until(() => server.let.length > 1);
    server.let[1]?.();
    await Promise.all([first, second]);
    expect(server.done).toEqual(["stop", "start", "stop", "stop", "start", "up"]);
  });

  it("is stopped and told of after a while", async () => {
    const server = new FakeServer();
    const queue = new Restarts(server, 10);
    await expect(queue.restart()).rejects.toThrow("did not answer within 0.01 s");
    expect(server.done).toEqual(["stop", "start", "stop"]);
  });

  it("does not keep the editor from closing", async () => {
    const server = new FakeServer();
    const queue = new Restarts(server, 60_000, 10);
    const first = queue.restart();
    await until(() => server.let.length > 0);
    await queue.end();
    await expect(first).rejects.toThrow("another start");
    expect(server.done.at(-1)).toBe("stop");
  });
});

describe("crashes", () => {
  it("are worth a restart until there are too many of them", () => {
    const crashes = new Crashes(2, 1000, () => 0);
    expect([1, 2, 3].map(() => crashes.worthARestart())).toEqual([true, true, false]);
  });

  it("are forgotten after a while, and by a restart of the user's", () => {
    let now = 0;
    const crashes = new Crashes(1, 1000, () => now);
    expect(crashes.worthARestart()).toBe(true);
    expect(crashes.worthARestart()).toBe(false);
    now = 2000;
    expect(crashes.worthARestart()).toBe(true);
    crashes.forget();
    expect(crashes.worthARestart()).toBe(true);
  });
});
