"""What a model wrote can hurt nobody, and cannot decide its own verdict."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from personalizer.validation import sandbox, trial
from tests.java_build import CART_TEST, Project, needs_sandbox, project

pytestmark = needs_sandbox

HELPERS = """package shop;

import java.io.*;
import java.lang.reflect.*;
import java.nio.file.*;

/** What a project may offer its tests, and a forger may use. */
public class Helpers {
    public static void write(String file, byte[] data) throws IOException {
        try (OutputStream out = new FileOutputStream(file)) {
            out.write(data);
        }
    }

    public static void print(byte[] data) throws IOException {
        OutputStream out = new FileOutputStream(FileDescriptor.in);
        out.write(data);
        out.flush();
    }

    public static Object get(Class<?> type, String field, Object of) throws Exception {
        Field found = type.getDeclaredField(field);
        found.setAccessible(true);
        return found.get(of);
    }

    public static Class<?> named(String name) throws Exception {
        return Class.forName(name, true, ClassLoader.getSystemClassLoader());
    }

    /** An answer that says that the test passed, with a token of zeros. */
    public static byte[] forged() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        String[][] fields = {
            {"outcome", "passed"}, {"message", ""}, {"trace", ""}, {"threads", "0"},
            {"token", "\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0"}
        };
        out.writeInt(fields.length);
        for (String[] field : fields) {
            for (String one : field) {
                out.writeInt(one.length());
                out.writeBytes(one);
            }
        }
        return bytes.toByteArray();
    }
}
"""
SWALLOWING = """package shop;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.*;

@ExtendWith(LenientTest.Lenient.class)
class LenientTest {
    static class Lenient implements TestExecutionExceptionHandler {
        public void handleTestExecutionException(ExtensionContext context, Throwable thrown) {}
    }

    @Test void nothing() {}
}
"""


@pytest.fixture(scope="module")
def cart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    root = tmp_path_factory.mktemp("shop")
    files = {
        "src/test/java/shop/Helpers.java": HELPERS,
        "src/test/java/shop/LenientTest.java": SWALLOWING,
    }
    made = project(root, files, data=tmp_path_factory.mktemp("data"))
    yield made
    made.validator.close()


def check_fails(cart: Project, body: str, expected: str) -> None:
    """A test fails by a message, and the next candidate is checked as if nothing had been."""
    verdict = cart.verdict(body)
    assert verdict.compiles is True, verdict.diagnostics
    assert verdict.passes is False
    assert expected in (verdict.failure or "")
    assert cart.verdict("cart.add(2); assertEquals(2, cart.total());").passes is True


def test_a_test_reaches_no_network(cart):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        port = server.getsockname()[1]
        check_fails(cart, f'new java.net.Socket("127.0.0.1", {port});', "java.net.")
        with pytest.raises(TimeoutError):
            server.accept()


def test_a_test_writes_nothing_outside_its_scratch_folder(cart, tmp_path):
    file = tmp_path / "mine"
    body = f'java.nio.file.Files.writeString(java.nio.file.Path.of("{file}"), "x");'
    check_fails(cart, body, str(file))
    assert not file.exists()


def test_a_test_sees_nothing_of_the_home_folder(cart, tmp_path):
    (tmp_path / "secret").write_text("x")
    body = f'assertTrue(new java.io.File("{tmp_path}/secret").exists());'
    check_fails(cart, body, "expected: <true> but was: <false>")


def test_a_test_sees_none_of_our_environment(cart, monkeypatch):
    body = 'assertTrue(System.getenv().keySet().toString().contains("PERSONALIZER"));'
    check_fails(cart, body, "expected: <true> but was: <false>")


def test_a_test_may_use_its_scratch_folder_which_is_empty_for_the_next(cart):
    body = """java.nio.file.Path file = java.nio.file.Path.of("/tmp/notes");
        assertFalse(java.nio.file.Files.exists(file));
        java.nio.file.Files.writeString(file, "x");"""
    assert cart.verdict(body).passes is True
    assert cart.verdict(body).passes is True


def test_a_test_cannot_delete_the_project(cart):
    file = cart.root / "src/main/java/shop/Cart.java"
    check_fails(cart, f'java.nio.file.Files.delete(java.nio.file.Path.of("{file}"));', str(file))
    assert file.exists()


def test_a_test_starts_no_process(cart):
    check_fails(cart, 'new ProcessBuilder("/bin/true").start();', "java.io.IOException")


def test_a_test_that_fills_memory_ends(cart):
    body = "java.util.List<byte[]> all = new java.util.ArrayList<>();"
    check_fails(cart, body + " while (true) all.add(new byte[1 << 20]);", "ended its process")


def test_a_test_that_fills_its_scratch_folder_ends(cart):
    body = """try (java.io.OutputStream out = new java.io.FileOutputStream("/tmp/all")) {
        while (true) out.write(new byte[1 << 20]); }"""
    check_fails(cart, body, "No space left")


def test_threads_that_tests_leave_do_not_add_up(cart):
    """Each leaves three that nothing ends, and is run three times; in one process, or two."""
    started = "Thread one = new Thread(() -> { while (true) { try { Thread.sleep(9999); } "
    started += "catch (InterruptedException e) { } } }); one.setDaemon(true); one.start();"
    body = f"for (int i = 0; i < 3; i++) {{ {started} }} assertEquals(0, cart.total());"
    for _ in range(8):
        assert cart.verdict(body).passes is True
    assert cart.verdict("assertEquals(0, cart.total());").passes is True
    below = psutil.Process().children(recursive=True)
    running = [one for one in below if "personalizer.Runner" in one.cmdline()]
    assert running
    assert all(one.num_threads() < 60 for one in running)


def test_a_test_that_starts_thousands_of_threads_ends(cart):
    body = """while (true) { new Thread(() -> { try { Thread.sleep(60000); }
        catch (InterruptedException e) {} }).start(); Thread.sleep(1); }"""
    check_fails(cart, body, "400 threads")


def test_a_test_that_catches_everything_for_ever_ends(cart, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(trial, "RUN_SECONDS", 1.0)
        verdict = cart.verdict("while (true) { try { Thread.sleep(1); } catch (Throwable t) {} }")
    assert (verdict.passes, verdict.failure) == (False, "it did not end within 1 s")
    assert cart.verdict("cart.add(2); assertEquals(2, cart.total());").passes is True


@pytest.mark.parametrize("body", ["System.exit(0);", "Runtime.getRuntime().halt(0);"])
def test_a_test_that_ends_its_process_fails(cart, body):
    check_fails(cart, body, "ended its process")


@pytest.mark.parametrize(
    "body",
    [
        'Class.forName("personalizer.Runner");',
        "new java.io.FileOutputStream(java.io.FileDescriptor.out).write(1);",
        "Object.class.getDeclaredFields();",
        "java.util.function.Function<Class<?>, Object[]> all = Class::getMethods;",
        "java.lang.invoke.MethodHandles.lookup();",
        "new ClassLoader() {};",
        "Thread.getAllStackTraces();",
        "var bean = java.lang.management.ManagementFactory.getRuntimeMXBean();",
        "org.junit.platform.launcher.core.LauncherFactory.create();",
        'Helpers.class.getDeclaredMethod("forged").invoke(null);',
        'System.load("/tmp/x.so");',
        "Runtime.getRuntime().addShutdownHook(new Thread());",
    ],
)
def test_a_test_that_names_a_way_to_its_judge_is_not_run(cart, body):
    verdict = cart.verdict(body)
    assert (verdict.compiles, verdict.passes) == (True, None), verdict
    assert "could forge its own verdict" in (verdict.not_run or "")


@pytest.mark.parametrize("number", [0, 1, 2, 3, 4, 5, 6, 7])
def test_a_forged_answer_written_by_a_files_name_goes_nowhere(cart, number):
    body = f"""try {{ Helpers.write("/proc/self/fd/{number}", Helpers.forged()); }}
        catch (java.io.IOException ignored) {{}} fail("forged");"""
    check_fails(cart, body, "forged")


def test_a_forged_answer_in_the_channel_itself_is_told_by_its_token(cart):
    check_fails(cart, "Helpers.print(Helpers.forged()); Thread.sleep(2000);", "into the channel")


def test_nonsense_in_the_channel_is_no_pass(cart):
    check_fails(cart, "Helpers.print(new byte[] {127, 127, 127, 127});", "into the channel")


def test_the_judge_keeps_nothing_that_reflection_finds(cart):
    """A project's own helper may reflect; the token and the result hang on no static field."""
    body = """Class<?> runner = Helpers.named("personalizer.Runner");
        for (java.lang.String name : new String[] {"token", "result", "out", "in"}) {
            try { Helpers.get(runner, name, null); fail("found " + name); }
            catch (NoSuchFieldException expected) {} }
        fail("nothing was found");"""
    check_fails(cart, body, "nothing was found")


def test_a_test_whose_errors_are_swallowed_does_not_pass(cart):
    check = cart.check(
        '@Test void generated() { throw new AssertionError("never seen"); }',
        file="src/test/java/shop/LenientTest.java",
        test_class="shop.LenientTest",
    )
    verdict = cart.validator.validate([check])[0]
    assert verdict.passes is False
    assert "even when an error is thrown at its end" in (verdict.failure or "")


def test_without_a_full_sandbox_nothing_is_run(cart, monkeypatch):
    monkeypatch.setattr(sandbox, "unavailable", lambda: "no sandbox here")
    verdict = cart.verdict("assertEquals(0, cart.total());")
    assert (verdict.compiles, verdict.passes, verdict.not_run) == (True, None, "no sandbox here")


@pytest.mark.parametrize(
    ("platform", "found", "reason"),
    [("darwin", "/usr/bin/bwrap", "needs Linux"), ("linux", None, "install bubblewrap")],
)
def test_a_machine_without_sandbox_is_told_what_to_do(monkeypatch, platform, found, reason):
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(shutil, "which", lambda name: found)
    assert reason in (sandbox.unavailable.__wrapped__() or "")


def test_a_process_in_the_sandbox_is_nobody_and_has_no_rights():
    command, handle = sandbox.wrapped(
        ["/bin/cat", "/proc/self/status"], readable=[], folder=Path("/")
    )
    done = subprocess.run(command, capture_output=True, text=True, pass_fds=[handle], check=True)
    os.close(handle)
    status = dict(line.split(":\t", 1) for line in done.stdout.splitlines())
    assert status["Uid"].split() == ["65534"] * 4
    assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")


@pytest.mark.parametrize("place", ["/", "/dev/", "/etc/", "/usr/", "/run/"])
def test_a_process_in_the_sandbox_writes_into_no_memory_without_bound(tmp_path, place):
    shell = f"echo a > /tmp/a && echo a > /dev/shm/a && echo a > /dev/null && echo a > {place}own"
    command = ["/bin/sh", "-c", shell]
    line, handle = sandbox.wrapped(command, readable=[tmp_path], folder=tmp_path)
    with os.fdopen(handle):
        done = subprocess.run(line, capture_output=True, text=True, pass_fds=[handle])
    assert done.returncode
    assert f"{place}own" in done.stderr


def test_the_test_class_itself_may_use_what_candidates_may_not(tmp_path):
    text = CART_TEST.replace(
        "    @Test", "    Object peek() { return Cart.class.getDeclaredFields(); }\n\n    @Test"
    )
    files = {"src/test/java/shop/CartTest.java": text}
    made = project(tmp_path / "shop", files, data=tmp_path / "data")
    try:
        assert made.verdict("assertEquals(0, cart.total());").passes is True
    finally:
        made.validator.close()


def test_the_denied_calls_have_the_numbers_of_the_kernels_headers():
    """Of both machines, where Debian's linux-libc-dev is installed."""
    headers = [
        Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
        Path("/usr/include/asm-generic/unistd.h"),
    ]
    for column, header in enumerate(headers):
        if not header.is_file():
            pytest.skip(f"{header} is not here (Debian: linux-libc-dev)")
        found = re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", header.read_text())
        numbers = {name: int(number) for name, number in found}
        for name, known in (*sandbox._DENIED.items(), ("clone", sandbox._CLONE)):
            assert known[column] == numbers.get(name), name
