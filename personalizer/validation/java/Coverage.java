package personalizer;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jacoco.core.analysis.Analyzer;
import org.jacoco.core.analysis.CoverageBuilder;
import org.jacoco.core.analysis.IClassCoverage;
import org.jacoco.core.analysis.ICounter;
import org.jacoco.core.analysis.ILine;
import org.jacoco.core.data.ExecutionData;
import org.jacoco.core.data.ExecutionDataStore;
import org.jacoco.core.instr.Instrumenter;
import org.jacoco.core.internal.data.CRC64;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;

/**
 * Lines that ran, by JaCoCo without its agent: a class gets its probes here, and what the probes
 * saw is read here; the process that runs tests only carries the bits.
 */
final class Coverage {
    private static final int MOST_KEPT = 200;

    private final Instrumenter instrumenter = new Instrumenter(Coverage::access);
    private final Map<String, Map<String, byte[]>> originals = new HashMap<>();

    private static int access(long id, String name, int probes, MethodVisitor code) {
        code.visitLdcInsn(id);
        code.visitLdcInsn(probes);
        code.visitMethodInsn(Opcodes.INVOKESTATIC, "personalizer/Probes", "of", "(JI)[Z", false);
        return 3;
    }

    /** A class and those nested in it, with probes; none of those that JaCoCo cannot read. */
    Map<String, byte[]> instrument(Map<String, byte[]> asked) throws IOException {
        Map<String, byte[]> answer = new LinkedHashMap<>();
        for (Map.Entry<String, byte[]> one : classes(asked).entrySet()) {
            try {
                byte[] probed = instrumenter.instrument(one.getValue(), one.getKey());
                answer.put("class:" + one.getKey(), probed);
            } catch (IOException unreadable) { // of a newer Java than this JaCoCo knows
                continue;
            }
        }
        return answer;
    }

    /** Mutants of some lines of a class and those nested in it. */
    Map<String, byte[]> mutants(Map<String, byte[]> asked) throws IOException {
        return Mutants.of(
                classes(asked),
                Integer.parseInt(Wire.text(asked.get("first"))),
                Integer.parseInt(Wire.text(asked.get("last"))),
                Integer.parseInt(Wire.text(asked.get("most"))));
    }

    /** The classes as they were compiled: in the first folder that has them. */
    private Map<String, byte[]> classes(Map<String, byte[]> asked) throws IOException {
        String name = Wire.text(asked.get("name"));
        String key =
                String.join("\0", name, Wire.text(asked.get("stamp")), Wire.text(asked.get("folders")));
        Map<String, byte[]> known = originals.get(key);
        if (known != null) {
            return known;
        }
        Map<String, byte[]> classes = new LinkedHashMap<>();
        for (String folder : Wire.list(asked.get("folders"))) {
            read(Path.of(folder), name, classes);
            if (!classes.isEmpty()) {
                break;
            }
        }
        if (originals.size() >= MOST_KEPT) {
            originals.clear();
        }
        originals.put(key, classes);
        return classes;
    }

    private static void read(Path folder, String name, Map<String, byte[]> classes)
            throws IOException {
        Path file = folder.resolve(name.replace('.', '/') + ".class");
        if (!Files.isRegularFile(file)) {
            return;
        }
        String simple = file.getFileName().toString().replaceAll("\\.class$", "");
        String prefix = name.substring(0, name.length() - simple.length());
        try (DirectoryStream<Path> beside = Files.newDirectoryStream(file.getParent(), "*.class")) {
            for (Path one : beside) {
                String own = one.getFileName().toString().replaceAll("\\.class$", "");
                if (own.equals(simple) || own.startsWith(simple + "$")) {
                    classes.put(prefix + own, Files.readAllBytes(one));
                }
            }
        }
    }

    /** The lines of a class's file that have code: number, whether it ran, branches taken and all. */
    Map<String, byte[]> lines(Map<String, byte[]> asked) throws IOException {
        Map<String, byte[]> classes = classes(asked);
        ExecutionDataStore store = new ExecutionDataStore();
        CoverageBuilder seen = new CoverageBuilder();
        Analyzer analyzer = new Analyzer(store, seen);
        for (Map.Entry<String, byte[]> one : classes.entrySet()) {
            long id = CRC64.classId(one.getValue());
            byte[] bits = asked.get("probes:" + id);
            if (bits != null) {
                boolean[] probes = new boolean[bits.length];
                for (int i = 0; i < bits.length; i++) {
                    probes[i] = bits[i] != 0;
                }
                store.put(new ExecutionData(id, one.getKey().replace('.', '/'), probes));
            }
            try {
                analyzer.analyzeClass(one.getValue(), one.getKey());
            } catch (IOException unreadable) {
                continue;
            }
        }
        TreeMap<Integer, int[]> lines = new TreeMap<>(); // classes of one file may share a line
        for (IClassCoverage covered : seen.getClasses()) {
            for (int line = covered.getFirstLine(); line >= 0 && line <= covered.getLastLine(); line++) {
                ILine one = covered.getLine(line);
                if (one.getStatus() != ICounter.EMPTY) {
                    int[] sum = lines.computeIfAbsent(line, number -> new int[3]);
                    sum[0] |= one.getStatus() == ICounter.NOT_COVERED ? 0 : 1;
                    sum[1] += one.getBranchCounter().getCoveredCount();
                    sum[2] += one.getBranchCounter().getTotalCount();
                }
            }
        }
        List<String> told = new ArrayList<>();
        lines.forEach((line, sum) -> told.add(line + "," + sum[0] + "," + sum[1] + "," + sum[2]));
        Map<String, byte[]> answer = new LinkedHashMap<>();
        answer.put("lines", Wire.bytes(String.join("\0", told)));
        return answer;
    }
}
