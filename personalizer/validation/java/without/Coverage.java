package personalizer;

import java.util.LinkedHashMap;
import java.util.Map;

/** Stands where JaCoCo is missing: no lines are counted, nothing is mutated. */
final class Coverage {
    Map<String, byte[]> instrument(Map<String, byte[]> asked) {
        return new LinkedHashMap<>();
    }

    Map<String, byte[]> mutants(Map<String, byte[]> asked) {
        return new LinkedHashMap<>();
    }

    Map<String, byte[]> lines(Map<String, byte[]> asked) {
        return new LinkedHashMap<>();
    }
}
