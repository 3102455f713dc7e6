package personalizer.frameworks;

import java.lang.annotation.Annotation;
import java.lang.reflect.Method;
import java.util.HashSet;
import java.util.Set;

/** Whether a method bears an annotation of a package, itself or through another annotation. */
final class Annotations {
    private Annotations() {}

    static boolean from(String prefix, Class<?> type, String method) {
        for (Class<?> at = type; at != null; at = at.getSuperclass()) {
            for (Method one : at.getDeclaredMethods()) {
                boolean meant = method.isEmpty() || one.getName().equals(method);
                if (meant && among(prefix, one.getAnnotations(), new HashSet<>())) {
                    return true;
                }
            }
        }
        return false;
    }

    private static boolean among(String prefix, Annotation[] found, Set<Class<?>> seen) {
        for (Annotation one : found) {
            Class<? extends Annotation> type = one.annotationType();
            if (type.getName().startsWith(prefix)) {
                return true;
            }
            if (seen.add(type) && among(prefix, type.getAnnotations(), seen)) {
                return true;
            }
        }
        return false;
    }
}
