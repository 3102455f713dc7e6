package personalizer;

import com.sun.source.tree.BlockTree;
import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.util.SourcePositions;
import com.sun.source.util.TreePath;
import com.sun.source.util.TreePathScanner;
import com.sun.source.util.Trees;

/** Finds a method in a syntax tree, and makes the twin of a test. */
final class Methods {
    private Methods() {}

    /** The last method of a name in a class; null where there is none. */
    static TreePath find(CompilationUnitTree unit, String owner, String method) {
        String prefix = unit.getPackageName() == null ? "" : unit.getPackageName() + ".";
        TreePath[] found = new TreePath[1];
        new TreePathScanner<Void, String>() {
            @Override
            public Void visitClass(ClassTree tree, String outer) {
                String name = outer == null ? prefix + tree.getSimpleName() : outer + "$" + tree.getSimpleName();
                return super.visitClass(tree, name);
            }

            @Override
            public Void visitMethod(MethodTree tree, String within) {
                if (owner.equals(within) && tree.getName().contentEquals(method)) {
                    found[0] = getCurrentPath();
                }
                return super.visitMethod(tree, within + "$?");
            }
        }.scan(unit, null);
        return found[0];
    }

    /**
     * The text with the bodies of other tests blanked, line by line: a class of two thousand
     * lines compiles as fast as its one candidate. What the candidate names stays.
     */
    static String alone(Trees trees, CompilationUnitTree unit, TreePath method, String text) {
        SourcePositions positions = trees.getSourcePositions();
        String candidate = method == null ? "" : method.getLeaf().toString();
        StringBuilder blanked = new StringBuilder(text);
        new TreePathScanner<Void, Void>() {
            @Override
            public Void visitMethod(MethodTree tree, Void nothing) {
                boolean test =
                        tree.getModifiers().getAnnotations().stream()
                                .anyMatch(one -> one.getAnnotationType().toString().equals("Test"));
                boolean other = method == null || tree != method.getLeaf();
                if (test && other && tree.getBody() != null && isVoid(tree)
                        && !candidate.contains(tree.getName())) {
                    int end = (int) positions.getEndPosition(unit, tree.getBody()) - 1;
                    for (int i = (int) positions.getStartPosition(unit, tree.getBody()) + 1; i < end; i++) {
                        if (text.charAt(i) != '\n' && text.charAt(i) != '\r') {
                            blanked.setCharAt(i, ' ');
                        }
                    }
                }
                return other ? null : super.visitMethod(tree, nothing);
            }
        }.scan(unit, null);
        return blanked.toString();
    }

    private static boolean isVoid(MethodTree tree) {
        return tree.getReturnType() != null && tree.getReturnType().toString().equals("void");
    }

    /**
     * The text with a method that throws at its end, however that end is reached. A test that
     * still passes then did not pass by what it says.
     */
    static String sabotaged(Trees trees, TreePath method, String text, String message) {
        BlockTree body = method == null ? null : ((MethodTree) method.getLeaf()).getBody();
        if (body == null) {
            return text;
        }
        SourcePositions positions = trees.getSourcePositions();
        CompilationUnitTree unit = method.getCompilationUnit();
        int start = (int) positions.getStartPosition(unit, body) + 1;
        int end = (int) positions.getEndPosition(unit, body) - 1;
        String last = " finally { if (true) { throw new java.lang.Error(\"" + message + "\"); } } ";
        return text.substring(0, start)
                + " try {"
                + text.substring(start, end)
                + "}"
                + last
                + text.substring(end);
    }
}
