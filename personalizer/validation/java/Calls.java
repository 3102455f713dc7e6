package personalizer;

import com.sun.source.tree.MemberReferenceTree;
import com.sun.source.tree.MethodInvocationTree;
import com.sun.source.tree.NewClassTree;
import com.sun.source.util.TreePath;
import com.sun.source.util.TreePathScanner;
import com.sun.source.util.Trees;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.stream.Collectors;
import javax.lang.model.element.Element;
import javax.lang.model.element.ExecutableElement;
import javax.lang.model.type.TypeMirror;
import javax.lang.model.util.Types;

/** Which methods a candidate calls, of those that share a name the one that is meant. */
final class Calls {
    private Calls() {}

    /** Each once, as {@code get(Enum)} or {@code <init>(int,String[])}: erased simple types. */
    static Set<String> of(Trees trees, Types types, TreePath method) {
        Set<String> found = new LinkedHashSet<>();
        new TreePathScanner<Void, Void>() {
            private void look() {
                Element element = trees.getElement(getCurrentPath());
                if (element instanceof ExecutableElement) {
                    found.add(told(types, (ExecutableElement) element));
                }
            }

            @Override
            public Void visitMethodInvocation(MethodInvocationTree tree, Void nothing) {
                look();
                return super.visitMethodInvocation(tree, nothing);
            }

            @Override
            public Void visitMemberReference(MemberReferenceTree tree, Void nothing) {
                look();
                return super.visitMemberReference(tree, nothing);
            }

            @Override
            public Void visitNewClass(NewClassTree tree, Void nothing) {
                look();
                return super.visitNewClass(tree, nothing);
            }
        }.scan(method, null);
        return found;
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
