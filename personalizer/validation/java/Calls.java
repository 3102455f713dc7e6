package personalizer;

import java.util.LinkedHashSet;
import java.util.Set;
import java.util.stream.Collectors;
import javax.lang.model.element.Element;
import javax.lang.model.element.ElementKind;
import javax.lang.model.element.ExecutableElement;
import javax.lang.model.type.TypeMirror;
import javax.lang.model.util.Types;

/** Which methods a candidate calls, of those that share a name the one that is meant. */
final class Calls {
    private Calls() {}

    /** Each once, as {@code get(Enum)} or {@code <init>(int,String[])}: erased simple types. */
    static Set<String> among(Set<Element> named, Types types) {
        return named.stream()
                .filter(ExecutableElement.class::isInstance)
                .filter(one -> one.getEnclosingElement().getKind() != ElementKind.ANNOTATION_TYPE)
                .map(one -> told(types, (ExecutableElement) one))
                .collect(Collectors.toCollection(LinkedHashSet::new));
    }

    private static String told(Types types, ExecutableElement called) {
        return called.getParameters().stream()
                .map(one -> simple(types.erasure(one.asType())))
                .collect(Collectors.joining(",", called.getSimpleName() + "(", ")"));
    }

    private static String simple(TypeMirror erased) {
        String name = erased.toString();
        return name.substring(name.lastIndexOf('.') + 1);
    }
}
