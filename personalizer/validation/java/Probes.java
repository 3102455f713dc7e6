package personalizer;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** What the probes of instrumented classes saw, for one run at a time. */
public final class Probes {
    private static volatile ConcurrentHashMap<Long, boolean[]> seen = new ConcurrentHashMap<>();

    private Probes() {}

    /** Called by instrumented classes as they are loaded. */
    public static boolean[] of(long id, int count) {
        return seen.computeIfAbsent(id, one -> new boolean[count]);
    }

    /** A new run begins; a thread that an earlier one left writes where nobody looks. */
    static void begin() {
        seen = new ConcurrentHashMap<>();
    }

    /** The bits so far, as they travel. */
    static Map<String, byte[]> taken() {
        Map<String, byte[]> taken = new LinkedHashMap<>();
        seen.forEach(
                (id, probes) -> {
                    byte[] bits = new byte[probes.length];
                    for (int i = 0; i < bits.length; i++) {
                        bits[i] = (byte) (probes[i] ? 1 : 0);
                    }
                    taken.put("probes:" + id, bits);
                });
        return taken;
    }
}
