package personalizer;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import javax.lang.model.element.Element;
import javax.lang.model.element.TypeElement;

/**
 * What a candidate must not name: everything by which code can reach another part of its own
 * process, and so the part that reports its result.
 */
final class Screen {
    private static final List<String> PACKAGES =
            List.of(
                    "com.sun.", "jdk.", "sun.", "personalizer.", "javax.management.",
                    "javax.script.", "javax.tools.", "java.lang.foreign.", "java.lang.instrument.",
                    "java.lang.management.", "org.jacoco.", "org.junit.platform.",
                    "org.junit.jupiter.engine.", "org.junit.runner.notification.",
                    "org.junit.internal.", "org.testng.internal.", "net.bytebuddy.",
                    "org.objenesis.", "org.objectweb.asm.", "javassist.", "net.sf.cglib.",
                    "org.springframework.cglib.", "org.apache.commons.lang3.reflect.");
    private static final Set<String> TYPES =
            Set.of(
                    "java.lang.reflect.AccessibleObject", "java.lang.reflect.Constructor",
                    "java.lang.reflect.Executable", "java.lang.reflect.Field",
                    "java.lang.reflect.InvocationHandler", "java.lang.reflect.Method",
                    "java.lang.reflect.Proxy", "java.lang.invoke.MethodHandle",
                    "java.lang.invoke.MethodHandleProxies", "java.lang.invoke.MethodHandles",
                    "java.lang.invoke.MethodHandles.Lookup", "java.lang.invoke.VarHandle",
                    "java.lang.ClassLoader", "java.lang.ModuleLayer", "java.lang.Module",
                    "java.lang.StackWalker", "java.net.URLClassLoader", "java.util.ServiceLoader",
                    "java.beans.Statement", "java.beans.Expression", "java.beans.XMLDecoder",
                    "java.io.FileDescriptor", "org.junit.runner.JUnitCore",
                    "org.powermock.reflect.Whitebox", "org.mockito.internal.util.reflection.FieldSetter",
                    "org.springframework.test.util.ReflectionTestUtils",
                    "org.springframework.util.ReflectionUtils");
    private static final Set<String> MEMBERS =
            Set.of(
                    "java.lang.Class.forName", "java.lang.Class.newInstance",
                    "java.lang.Class.getClassLoader", "java.lang.Class.getModule",
                    "java.lang.Class.getMethod", "java.lang.Class.getMethods",
                    "java.lang.Class.getDeclaredMethod", "java.lang.Class.getDeclaredMethods",
                    "java.lang.Class.getField", "java.lang.Class.getFields",
                    "java.lang.Class.getDeclaredField", "java.lang.Class.getDeclaredFields",
                    "java.lang.Class.getConstructor", "java.lang.Class.getConstructors",
                    "java.lang.Class.getDeclaredConstructor",
                    "java.lang.Class.getDeclaredConstructors",
                    "java.lang.System.load", "java.lang.System.loadLibrary",
                    "java.lang.System.inheritedChannel", "java.lang.System.setSecurityManager",
                    "java.lang.Runtime.load", "java.lang.Runtime.loadLibrary",
                    "java.lang.Runtime.addShutdownHook",
                    "java.lang.Thread.getAllStackTraces", "java.lang.Thread.enumerate",
                    "java.lang.Thread.getContextClassLoader", "java.lang.Thread.getThreadGroup",
                    "java.util.concurrent.atomic.AtomicReferenceFieldUpdater.newUpdater");

    private Screen() {}

    /** Of what is named, what must not be, in order, each once; a type and its members are one. */
    static Set<String> reasons(Set<Element> named) {
        return named.stream()
                .map(Screen::reason)
                .filter(Objects::nonNull)
                .collect(Collectors.toCollection(LinkedHashSet::new));
    }

    private static String reason(Element element) {
        Element type = element;
        while (type != null && !(type instanceof TypeElement)) {
            if (type.getKind() == javax.lang.model.element.ElementKind.PACKAGE) {
                return null; // the type that follows is looked at by itself
            }
            type = type.getEnclosingElement();
        }
        if (type == null) {
            return null;
        }
        String name = ((TypeElement) type).getQualifiedName().toString();
        if (TYPES.contains(name) || PACKAGES.stream().anyMatch(name::startsWith)) {
            return name;
        }
        String member = name + "." + element.getSimpleName();
        return MEMBERS.contains(member) ? member : null;
    }
}
