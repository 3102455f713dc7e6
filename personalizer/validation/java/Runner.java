package personalizer;

import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.File;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.Method;
import java.net.MalformedURLException;
import java.net.URL;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TimeZone;

/**
 * The process that runs tests. Nothing that it says is believed by itself: see
 * docs/decisions/0008-verdicts.md.
 *
 * <p>Arguments: the path of our own classes, then the project's libraries.
 */
public final class Runner {
    private static final List<String> FRAMEWORKS =
            List.of(
                    "personalizer.frameworks.Platform",
                    "personalizer.frameworks.JUnit4",
                    "personalizer.frameworks.TestNg");

    private final ClassLoader libraries;
    private final List<Framework> frameworks = new ArrayList<>();
    /** Of all tests: what one leaves running runs on beside the next. */
    private final ThreadGroup tests = new ThreadGroup("tests");

    private Runner(String[] arguments) throws MalformedURLException {
        List<URL> urls = new ArrayList<>();
        for (String entry : arguments) {
            urls.add(new File(entry).toURI().toURL());
        }
        libraries = new Libraries(urls.toArray(new URL[0]));
        Thread.currentThread().setContextClassLoader(libraries); // JUnit looks for engines there
        for (String name : FRAMEWORKS) {
            try {
                Class<?> type = libraries.loadClass(name);
                frameworks.add((Framework) type.getDeclaredConstructor().newInstance());
            } catch (ReflectiveOperationException | LinkageError absent) {
                continue; // the project does not use it
            }
        }
    }

    /** Standard input is one socket for both directions; standard output is anybody's. */
    public static void main(String[] arguments) throws Exception {
        DataInputStream in = new DataInputStream(new FileInputStream(FileDescriptor.in));
        DataOutputStream out =
                new DataOutputStream(
                        new BufferedOutputStream(new FileOutputStream(FileDescriptor.in), 1 << 16));
        System.setIn(InputStream.nullInputStream());
        Runner runner = new Runner(arguments);
        for (Map<String, byte[]> asked; (asked = Wire.read(in)) != null; ) {
            byte[] token = asked.remove("token");
            Map<String, byte[]> answer = new LinkedHashMap<>();
            if (asked.containsKey("test")) {
                answer = runner.run(asked);
            }
            answer.put("token", token);
            Wire.write(out, answer);
        }
        Runtime.getRuntime().halt(0);
    }

    private Map<String, byte[]> run(Map<String, byte[]> asked) throws InterruptedException {
        Result result = new Result();
        Probes.begin();
        World before = new World();
        Runnable work = () -> work(asked, result);
        ThreadGroup group = new ThreadGroup(tests, "test");
        Thread thread = new Thread(group, work, "main", 4 << 20);
        thread.start();
        thread.join();
        Map<String, byte[]> answer = result.told();
        answer.putAll(Probes.taken());
        before.restore();
        group.interrupt();
        answer.put("threads", Wire.bytes(Integer.toString(tests.activeCount())));
        return answer;
    }

    private void work(Map<String, byte[]> asked, Result result) {
        String method = Wire.text(asked.get("method"));
        try {
            Loader loader =
                    new Loader(libraries, Wire.list(asked.get("folders")), Wire.classes(asked));
            Thread.currentThread().setContextClassLoader(loader);
            Class<?> type = Class.forName(Wire.text(asked.get("test")), false, loader);
            result.of(declaring(type, method));
            boolean owned = false;
            for (Framework framework : frameworks) {
                if (framework.owns(type, method)) {
                    framework.run(type, method, Wire.text(asked.get("except")), result);
                    owned = true;
                    if (!method.isEmpty()) {
                        break;
                    }
                }
            }
            if (!owned) {
                result.unowned();
            }
        } catch (Throwable problem) { // whatever a test throws is its result
            result.failed(problem);
        }
    }

    /** The class that declares a test, which may run in a subclass. */
    private static Class<?> declaring(Class<?> type, String method) {
        for (Class<?> one = type; one != null; one = one.getSuperclass()) {
            try {
                for (Method declared : one.getDeclaredMethods()) {
                    if (declared.getName().equals(method)) {
                        return one;
                    }
                }
            } catch (LinkageError incomplete) {
                break; // the framework says what is missing
            }
        }
        return type;
    }

    /** What tests change for all, put back after each. */
    private static final class World {
        private final Properties properties = (Properties) System.getProperties().clone();
        private final Locale locale = Locale.getDefault();
        private final TimeZone zone = TimeZone.getDefault();

        World() {
            PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream());
            System.setOut(nowhere);
            System.setErr(nowhere);
        }

        void restore() {
            System.setProperties(properties);
            Locale.setDefault(locale);
            TimeZone.setDefault(zone);
            System.setIn(InputStream.nullInputStream());
            File[] left = new File(System.getProperty("java.io.tmpdir")).listFiles();
            for (File one : left == null ? new File[0] : left) {
                delete(one);
            }
        }

        private static void delete(File file) {
            File[] inside = Files.isSymbolicLink(file.toPath()) ? null : file.listFiles();
            for (File one : inside == null ? new File[0] : inside) {
                delete(one);
            }
            file.delete(); // what stays does no harm: it lies in the sandbox's memory
        }
    }

    /** One run's outcome: it passed when something passed and nothing failed or was skipped. */
    private static final class Result implements Framework.Report {
        private static final int LONGEST = 20_000;
        private String type = "?";
        private final Set<String> passed = new LinkedHashSet<>();
        private boolean unowned;
        private String skipped;
        private Throwable problem;

        void of(Class<?> declaring) {
            type = declaring.getName();
        }

        synchronized void unowned() {
            unowned = true;
        }

        @Override
        public synchronized void passed(String name) {
            passed.add(name.replace('\0', ' '));
        }

        @Override
        public synchronized void skipped(String why) {
            skipped = String.valueOf(why);
        }

        @Override
        public synchronized void failed(Throwable thrown) {
            if (problem == null) {
                problem = thrown;
            }
        }

        synchronized Map<String, byte[]> told() {
            Map<String, byte[]> told = new LinkedHashMap<>();
            String outcome =
                    problem != null
                            ? "failed"
                            : unowned ? "unowned" : skipped != null ? "skipped" : !passed.isEmpty() ? "passed" : "none";
            told.put("outcome", Wire.bytes(outcome));
            told.put("passed", Wire.bytes(String.join("\0", passed)));
            told.put("message", Wire.bytes(cut(problem == null ? String.valueOf(skipped) : said(problem, type))));
            told.put("trace", Wire.bytes(problem == null ? "" : cut(chain(problem))));
            return told;
        }

        private static String said(Throwable problem, String type) {
            StringBuilder text = new StringBuilder(safe(problem));
            Throwable cause = problem.getCause();
            if (cause != null && (ofStart(problem) || ofStart(cause))) {
                text.append(": ").append(safe(cause));
            }
            for (StackTraceElement frame : problem.getStackTrace()) {
                if (frame.getClassName().equals(type) || frame.getClassName().startsWith(type + "$")) {
                    text.append(" (").append(frame.getFileName()).append(':');
                    return text.append(frame.getLineNumber()).append(')').toString();
                }
            }
            return text.toString();
        }

        /** Whether it says only that a class could not be begun; why, its cause says. */
        private static boolean ofStart(Throwable problem) {
            return problem instanceof ExceptionInInitializerError;
        }

        private static String chain(Throwable problem) {
            StringBuilder text = new StringBuilder();
            Throwable at = problem;
            for (int depth = 0; at != null && depth < 20; depth++, at = at.getCause()) {
                text.append(safe(at)).append('\n');
                for (Throwable beside : at.getSuppressed()) {
                    text.append(safe(beside)).append('\n');
                }
            }
            return text.toString();
        }

        /** An exception's own toString may throw. */
        private static String safe(Throwable problem) {
            try {
                return String.valueOf(problem);
            } catch (Throwable worse) {
                return problem.getClass().getName();
            }
        }

        private static String cut(String text) {
            return text.length() > LONGEST ? text.substring(0, LONGEST) : text;
        }
    }
}
