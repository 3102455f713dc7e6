package personalizer;

import com.sun.source.tree.Tree;
import com.sun.source.util.TreePath;
import com.sun.source.util.TreePathScanner;
import com.sun.source.util.Trees;
import java.util.EnumSet;
import java.util.LinkedHashSet;
import java.util.Set;
import javax.lang.model.element.Element;

/** What a method names, as the compiler resolved it. */
final class Named {
    private Named() {}

    private static final Set<Tree.Kind> NAMING =
            EnumSet.of(
                    Tree.Kind.IDENTIFIER,
                    Tree.Kind.MEMBER_SELECT,
                    Tree.Kind.MEMBER_REFERENCE,
                    Tree.Kind.NEW_CLASS);

    /** Types, members, constructors and variables, in order, each once. */
    static Set<Element> in(Trees trees, TreePath method) {
        Set<Element> found = new LinkedHashSet<>();
        new TreePathScanner<Void, Void>() {
            @Override
            public Void scan(Tree tree, Void nothing) {
                if (tree != null && NAMING.contains(tree.getKind())) {
                    Element named = trees.getElement(new TreePath(getCurrentPath(), tree));
                    if (named != null) {
                        found.add(named);
                    }
                }
                return super.scan(tree, nothing);
            }
        }.scan(method, null);
        return found;
    }
}
