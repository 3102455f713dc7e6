package personalizer;

import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TreePath;
import com.sun.source.util.Trees;
import com.sun.tools.javac.api.JavacTaskPool;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.File;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import javax.lang.model.element.Element;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.StandardLocation;
import javax.tools.ToolProvider;

/**
 * The process that compiles and measures. It never runs what it compiles, nor annotation
 * processors, so its answers can be believed.
 */
public final class Compiler {
    private static final int MOST_DIAGNOSTICS = 50;
    private static final int MOST_WARM = 4;

    private final JavaCompiler javac = ToolProvider.getSystemJavaCompiler();
    private JavacTaskPool pool = new JavacTaskPool(MOST_WARM);
    private final Map<String, InMemory> managers = new HashMap<>();
    private final Coverage coverage = new Coverage();

    /** Standard input is one socket for both directions; standard output is anybody's. */
    public static void main(String[] arguments) throws Exception {
        DataInputStream in = new DataInputStream(new FileInputStream(FileDescriptor.in));
        DataOutputStream out =
                new DataOutputStream(
                        new java.io.BufferedOutputStream(
                                new FileOutputStream(FileDescriptor.in), 1 << 16));
        Compiler compiler = new Compiler();
        for (Map<String, byte[]> asked; (asked = Wire.read(in)) != null; ) {
            Map<String, byte[]> answer;
            try {
                answer = compiler.answer(asked);
            } catch (Exception | LinkageError | StackOverflowError | OutOfMemoryError failed) {
                answer = new LinkedHashMap<>();
                answer.put("failed", Wire.bytes(failed.toString()));
            }
            Wire.write(out, answer);
        }
    }

    private Map<String, byte[]> answer(Map<String, byte[]> asked) throws Exception {
        switch (Wire.text(asked.get("ask"))) {
            case "project":
                return project(asked);
            case "candidate":
                return candidate(asked);
            case "instrument":
                return coverage.instrument(asked);
            case "mutants":
                return coverage.mutants(asked);
            case "lines":
                return coverage.lines(asked);
            default:
                return new LinkedHashMap<>();
        }
    }

    /**
     * Compiles many files into a folder. javac writes nothing where one file is broken, so broken
     * ones are left out, and then those that needed them, until the rest compiles.
     */
    private Map<String, byte[]> project(Map<String, byte[]> asked) throws IOException {
        Map<String, JavaFileObject> units = new LinkedHashMap<>();
        for (Map.Entry<String, byte[]> entry : asked.entrySet()) {
            if (entry.getKey().startsWith("source:")) {
                String path = entry.getKey().substring("source:".length());
                units.put(path, new Source(path, Wire.text(entry.getValue())));
            }
        }
        List<String> options = options(asked);
        options.add("-XDshould-stop.ifError=FLOW"); // tells the errors of all files at once
        options.addAll(List.of("-Xmaxerrs", "100000"));
        List<String> problems = new ArrayList<>();
        try (StandardJavaFileManager files = manager(Wire.list(asked.get("class_path")))) {
            Path folder = Path.of(Wire.text(asked.get("folder")));
            files.setLocationFromPaths(StandardLocation.CLASS_OUTPUT, List.of(folder));
            for (boolean whole = false; !whole && !units.isEmpty(); ) {
                DiagnosticCollector<JavaFileObject> messages = new DiagnosticCollector<>();
                JavaCompiler.CompilationTask task =
                        javac.getTask(
                                Writer.nullWriter(), files, messages, options, null, units.values());
                whole = task.call();
                int before = units.size();
                for (Diagnostic<? extends JavaFileObject> one : messages.getDiagnostics()) {
                    String line = told(one, "");
                    if (line != null && units.remove(line.substring(0, line.indexOf('\t'))) != null) {
                        problems.add(line); // the first of its file
                    }
                }
                whole |= units.size() == before; // nothing left to leave out
            }
        }
        Map<String, byte[]> answer = new LinkedHashMap<>();
        answer.put("diagnostics", Wire.bytes(String.join("\0", problems)));
        return answer;
    }

    /** Compiles one file in memory; what javac itself breaks on is told as an error. */
    private Map<String, byte[]> candidate(Map<String, byte[]> asked) throws Exception {
        try {
            return compiled(asked);
        } catch (IllegalStateException | AssertionError broken) {
            managers.clear(); // and with them the compiler that broke
            Map<String, byte[]> answer = new LinkedHashMap<>();
            String told = Wire.text(asked.get("path")) + "\t0\t0\tjavac breaks on it: " + broken;
            answer.put("diagnostics", Wire.bytes(told));
            return answer;
        }
    }

    private Map<String, byte[]> compiled(Map<String, byte[]> asked) throws Exception {
        String path = Wire.text(asked.get("path"));
        String owner = Wire.text(asked.get("owner"));
        String method = Wire.text(asked.get("method"));
        String twin = Wire.text(asked.get("twin"));
        String classPath = Wire.text(asked.get("class_path"));
        String key = classPath + "\0" + Wire.text(asked.get("stamp"));
        InMemory files = managers.get(key);
        if (files == null) {
            managers.clear(); // an older state of the project is not asked about again
            pool = new JavacTaskPool(MOST_WARM); // whose compilers write to their own manager
            files = new InMemory(manager(classPath.split("\0")));
            managers.put(key, files);
        }
        List<String> options = options(asked);
        // One warm compiler a class path and file: what one has compiled from source it does not
        // find on the class path again.
        options.add("-XDpersonalizer=" + key.hashCode() + path);
        String text = Wire.text(asked.get("source"));
        Map<String, byte[]> answer = new LinkedHashMap<>();
        if (!asked.containsKey("whole")) {
            String given = text;
            text = work(files, options, path, text, answer, task -> alone(task, given, owner, method, twin));
            answer.clear();
        }
        work(files, options, path, text, answer, task -> {
            CompilationUnitTree unit = task.parse().iterator().next();
            task.analyze();
            TreePath found = Methods.find(unit, owner, method);
            answer.put("found", Wire.bytes(found == null ? "" : "yes"));
            if (found != null) {
                Set<Element> named = Named.in(Trees.instance(task), found);
                Set<String> calls = Calls.among(named, task.getTypes());
                answer.put("refused", Wire.bytes(String.join("\0", Screen.reasons(named))));
                answer.put("calls", Wire.bytes(String.join("\0", calls)));
            }
            task.generate();
            return null;
        });
        files.taken().forEach((name, bytes) -> answer.put("class:" + name, bytes));
        return answer;
    }

    private static String alone(
            JavacTask task, String text, String owner, String method, String twin)
            throws IOException {
        CompilationUnitTree unit = task.parse().iterator().next();
        TreePath found = Methods.find(unit, owner, method);
        Trees trees = Trees.instance(task);
        String alone = Methods.alone(trees, unit, found, text);
        return twin.isEmpty() ? alone : Methods.sabotaged(trees, found, alone, twin);
    }

    private interface Work<T> {
        T with(JavacTask task) throws IOException;
    }

    private <T> T work(
            InMemory files,
            List<String> options,
            String path,
            String text,
            Map<String, byte[]> answer,
            Work<T> work) {
        DiagnosticCollector<JavaFileObject> messages = new DiagnosticCollector<>();
        files.taken();
        T made =
                pool.getTask(
                        new PrintWriter(Writer.nullWriter()),
                        files,
                        messages,
                        options,
                        null,
                        List.of(new Source(path, text)),
                        task -> {
                            try {
                                return work.with((JavacTask) task);
                            } catch (IOException failed) {
                                throw new java.io.UncheckedIOException(failed);
                            }
                        });
        answer.put("diagnostics", diagnostics(messages, path));
        return made;
    }

    private static List<String> options(Map<String, byte[]> asked) {
        List<String> options = new ArrayList<>(Arrays.asList(Wire.list(asked.get("options"))));
        options.addAll(List.of("-proc:none", "-g", "-nowarn", "-Xlint:none", "-implicit:none"));
        options.add("-encoding");
        options.add("UTF-8");
        return options;
    }

    private StandardJavaFileManager manager(String[] classPath) throws IOException {
        StandardJavaFileManager files = javac.getStandardFileManager(null, Locale.ROOT, null);
        List<File> entries = new ArrayList<>();
        for (String entry : classPath) {
            if (!entry.isEmpty()) {
                entries.add(new File(entry));
            }
        }
        files.setLocation(StandardLocation.CLASS_PATH, entries);
        files.setLocation(StandardLocation.SOURCE_PATH, List.of()); // never read sources beside
        return files;
    }

    private static byte[] diagnostics(DiagnosticCollector<JavaFileObject> messages, String path) {
        List<String> lines = new ArrayList<>();
        for (Diagnostic<? extends JavaFileObject> one : messages.getDiagnostics()) {
            String line = told(one, path);
            if (line != null && lines.size() < MOST_DIAGNOSTICS) {
                lines.add(line);
            }
        }
        return Wire.bytes(String.join("\0", lines));
    }

    /** An error as path, line, column and message; null for what is none. */
    private static String told(Diagnostic<? extends JavaFileObject> one, String path) {
        if (one.getKind() != Diagnostic.Kind.ERROR) {
            return null;
        }
        return String.join(
                "\t",
                one.getSource() instanceof Source ? ((Source) one.getSource()).path : path,
                Long.toString(Math.max(0, one.getLineNumber())),
                Long.toString(Math.max(0, one.getColumnNumber())),
                one.getMessage(Locale.ROOT));
    }
}
