package personalizer;

import com.sun.source.tree.IdentifierTree;
import com.sun.source.tree.MemberReferenceTree;
import com.sun.source.tree.MemberSelectTree;
import com.sun.source.tree.NewClassTree;
import com.sun.source.util.TreePath;
import com.sun.source.util.TreePathScanner;
import com.sun.source.util.Trees;
import java.util.LinkedHashSet;
import java.util.Set;
import javax.lang.model.element.Element;

/** What a method names, as the compiler resolved it. */
final class Named {
    private Named() {}

    /** Types, members, constructors and variables, in order, each once. */
    static Set<Element> in(Trees trees, TreePath method) {
        Set<Element> found = new LinkedHashSet<>();
        new TreePathScanner<Void, Void>() {
            private void look() {
                Element element = trees.getElement(getCurrentPath());
                if (element != null) {
                    found.add(element);
                }
            }

            @Override
            public Void visitIdentifier(IdentifierTree tree, Void nothing) {
                look();
                return super.visitIdentifier(tree, nothing);
            }

            @Override
            public Void visitMemberSelect(MemberSelectTree tree, Void nothing) {
                look();
                return super.visitMemberSelect(tree, nothing);
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
}
