package personalizer;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;
import org.objectweb.asm.tree.AbstractInsnNode;
import org.objectweb.asm.tree.ClassNode;
import org.objectweb.asm.tree.FieldInsnNode;
import org.objectweb.asm.tree.IincInsnNode;
import org.objectweb.asm.tree.InsnList;
import org.objectweb.asm.tree.InsnNode;
import org.objectweb.asm.tree.IntInsnNode;
import org.objectweb.asm.tree.JumpInsnNode;
import org.objectweb.asm.tree.LdcInsnNode;
import org.objectweb.asm.tree.LineNumberNode;
import org.objectweb.asm.tree.MethodInsnNode;
import org.objectweb.asm.tree.MethodNode;

/**
 * Classes with one instruction of some lines changed, as PIT's default mutators do: a condition
 * turned round or its bound moved, arithmetic or a sign turned round, nothing returned, a call left
 * out that gives nothing; and as some that PIT has for the asking: a call left out whose result
 * nobody takes, an assignment of a field left out, a constant changed. None needs another stack
 * than there was, so the frames stay.
 */
final class Mutants {
    /** Types of what is returned, and what gives an empty one. */
    private static final Map<String, String> EMPTY =
            Map.of(
                    "java/util/Collection", "java/util/Collections emptyList ()Ljava/util/List;",
                    "java/util/Iterator", "java/util/Collections emptyIterator ()Ljava/util/Iterator;",
                    "java/util/List", "java/util/Collections emptyList ()Ljava/util/List;",
                    "java/util/Map", "java/util/Collections emptyMap ()Ljava/util/Map;",
                    "java/util/Optional", "java/util/Optional empty ()Ljava/util/Optional;",
                    "java/util/Set", "java/util/Collections emptySet ()Ljava/util/Set;");

    /** Calls that the compiler writes, too, where the source has none. */
    private static final List<String> OF_THE_COMPILER =
            List.of("addSuppressed", "close", "getClass", "requireNonNull");

    private Mutants() {}

    /**
     * Mutants of the lines from the first to the last, evenly from all that there are: the same for
     * every test.
     *
     * @return by number the bytes of a class, and under "told" class, line and change of each
     */
    static Map<String, byte[]> of(Map<String, byte[]> classes, int first, int last, int most) {
        List<Place> places = new ArrayList<>();
        for (Map.Entry<String, byte[]> one : classes.entrySet()) {
            for (Place place : places(one.getKey(), one.getValue())) {
                if (place.line >= first && place.line <= last) {
                    places.add(place);
                }
            }
        }
        Map<String, byte[]> answer = new LinkedHashMap<>();
        List<String> told = new ArrayList<>();
        int count = Math.min(most, places.size());
        for (int number = 0; number < count; number++) {
            Place place = places.get(number * places.size() / count);
            answer.put("mutant:" + number, place.changed(classes.get(place.name)));
            told.add(place.name + "\t" + place.line + "\t" + place.told);
        }
        answer.put("told", Wire.bytes(String.join("\0", told)));
        return answer;
    }

    /** What can change in a class, in the order of its instructions. */
    private static List<Place> places(String name, byte[] original) {
        List<Place> found = new ArrayList<>();
        List<MethodNode> methods = tree(original).methods;
        for (int method = 0; method < methods.size(); method++) {
            MethodNode node = methods.get(method);
            boolean bridge = (node.access & Opcodes.ACC_BRIDGE) != 0;
            boolean table = name.matches(".*\\$\\d+") && node.name.equals("<clinit>"); // of a switch
            int line = 0;
            for (int number = 0; number < node.instructions.size() && !bridge && !table; number++) {
                AbstractInsnNode one = node.instructions.get(number);
                line = one instanceof LineNumberNode ? ((LineNumberNode) one).line : line;
                List<Change> changes = changes(one, Type.getReturnType(node.desc));
                for (int which = 0; which < changes.size(); which++) {
                    String told = changes.get(which).told;
                    found.add(new Place(name, method, number, which, line, told));
                }
            }
        }
        return found;
    }

    private static ClassNode tree(byte[] original) {
        ClassNode tree = new ClassNode();
        new ClassReader(original).accept(tree, 0);
        return tree;
    }

    /** A way to change an instruction of a method of a class, each by its number. */
    private static final class Place {
        final String name;
        final int line;
        final String told;
        private final int method;
        private final int number;
        private final int which;

        Place(String name, int method, int number, int which, int line, String told) {
            this.name = name;
            this.method = method;
            this.number = number;
            this.which = which;
            this.line = line;
            this.told = told;
        }

        byte[] changed(byte[] original) {
            ClassNode tree = tree(original);
            MethodNode node = tree.methods.get(method);
            AbstractInsnNode one = node.instructions.get(number);
            Change change = changes(one, Type.getReturnType(node.desc)).get(which);
            for (AbstractInsnNode instead : change.instead) {
                node.instructions.insertBefore(one, instead);
            }
            node.instructions.remove(one);
            ClassWriter writer = new ClassWriter(0);
            tree.accept(writer);
            return writer.toByteArray();
        }
    }

    /** Instructions that take the place of one. */
    private static final class Change {
        final String told;
        final List<AbstractInsnNode> instead;

        Change(String told, AbstractInsnNode... instead) {
            this.told = told;
            this.instead = List.of(instead);
        }
    }

    private static List<Change> changes(AbstractInsnNode one, Type returned) {
        int opcode = one.getOpcode();
        if (one instanceof JumpInsnNode && opcode != Opcodes.GOTO && opcode != Opcodes.JSR) {
            return conditions((JumpInsnNode) one);
        } else if (opcode >= Opcodes.IRETURN && opcode <= Opcodes.ARETURN) {
            return returns(one, returned);
        } else if (opposed(opcode) != opcode) {
            return List.of(new Change("arithmetic turned round", new InsnNode(opposed(opcode))));
        } else if (opcode >= Opcodes.INEG && opcode <= Opcodes.DNEG) {
            return List.of(new Change("a sign turned round"));
        } else if (opcode >= Opcodes.ICONST_M1 && opcode <= Opcodes.ICONST_5) {
            return List.of(number(opcode - Opcodes.ICONST_0));
        } else if (opcode == Opcodes.BIPUSH || opcode == Opcodes.SIPUSH) {
            return List.of(number(((IntInsnNode) one).operand));
        } else if (another(one) != null) {
            return List.of(new Change("a constant changed", new LdcInsnNode(another(one))));
        } else if (one instanceof IincInsnNode) {
            IincInsnNode by = (IincInsnNode) one;
            return List.of(
                    new Change("an increment turned round", new IincInsnNode(by.var, -by.incr)));
        } else if (one instanceof MethodInsnNode) {
            return leftOut((MethodInsnNode) one);
        } else if (opcode == Opcodes.PUTFIELD || opcode == Opcodes.PUTSTATIC) {
            return leftOut((FieldInsnNode) one);
        }
        return List.of();
    }

    private static List<Change> conditions(JumpInsnNode one) {
        AbstractInsnNode asked = before(one);
        AbstractInsnNode next = after(one) == null ? null : after(after(one));
        boolean asserting = asked instanceof FieldInsnNode && ((FieldInsnNode) asked).name.startsWith("$");
        boolean closing = next instanceof MethodInsnNode && ((MethodInsnNode) next).name.equals("close");
        if (asserting || closing) {
            return List.of(); // of the compiler's own, for an assert or a try with resources
        }
        int opposite = opposite(one.getOpcode());
        int bounded = bounded(one.getOpcode());
        Change turned =
                new Change("the condition turned round", new JumpInsnNode(opposite, one.label));
        Change moved =
                new Change("the bound of the condition moved", new JumpInsnNode(bounded, one.label));
        return bounded == one.getOpcode() ? List.of(turned) : List.of(turned, moved);
    }

    /** What is about to be returned gives way to what says nothing. */
    private static List<Change> returns(AbstractInsnNode one, Type returned) {
        int opcode = one.getOpcode();
        if (isConstant(before(one))) {
            return List.of();
        }
        switch (returned.getSort()) {
            case Type.BOOLEAN:
                if (isConstant(previous(one))) { // of a condition: each of the two changes itself
                    return List.of();
                }
                return List.of(
                        returned("true", opcode, new InsnNode(Opcodes.ICONST_1)),
                        returned("false", opcode, new InsnNode(Opcodes.ICONST_0)));
            case Type.OBJECT:
                Change none = returned("null", opcode, nothing(returned));
                if (returned.getInternalName().equals("java/lang/String")) {
                    return List.of(returned("an empty text", opcode, new LdcInsnNode("")), none);
                }
                String[] of = EMPTY.getOrDefault(returned.getInternalName(), "").split(" ");
                if (of.length < 3 || gives(before(one), of[1])) {
                    return List.of(none);
                }
                AbstractInsnNode call =
                        new MethodInsnNode(Opcodes.INVOKESTATIC, of[0], of[1], of[2], false);
                return List.of(returned("nothing in it", opcode, call), none);
            case Type.ARRAY:
                return List.of(returned("null", opcode, nothing(returned)));
            default:
                return List.of(returned("0", opcode, nothing(returned)));
        }
    }

    private static Change returned(String told, int opcode, AbstractInsnNode instead) {
        boolean wide = opcode == Opcodes.LRETURN || opcode == Opcodes.DRETURN;
        AbstractInsnNode pop = new InsnNode(wide ? Opcodes.POP2 : Opcodes.POP);
        return new Change(told + " returned", pop, instead, new InsnNode(opcode));
    }

    /** A call that gives nothing, or gives what nobody takes. */
    private static List<Change> leftOut(MethodInsnNode call) {
        Type given = Type.getReturnType(call.desc);
        AbstractInsnNode next = after(call);
        int then = next == null ? -1 : next.getOpcode();
        boolean taken = given != Type.VOID_TYPE && then != Opcodes.POP && then != Opcodes.POP2;
        if (taken || call.name.equals("<init>") || OF_THE_COMPILER.contains(call.name)) {
            return List.of();
        }
        List<AbstractInsnNode> instead = new ArrayList<>();
        Type[] arguments = Type.getArgumentTypes(call.desc);
        for (int place = arguments.length - 1; place >= 0; place--) {
            instead.add(new InsnNode(arguments[place].getSize() == 2 ? Opcodes.POP2 : Opcodes.POP));
        }
        if (call.getOpcode() != Opcodes.INVOKESTATIC) {
            instead.add(new InsnNode(Opcodes.POP));
        }
        if (given != Type.VOID_TYPE) {
            instead.add(nothing(given));
        }
        String told = "the call of " + call.name + " left out";
        return List.of(new Change(told, instead.toArray(new AbstractInsnNode[0])));
    }

    private static List<Change> leftOut(FieldInsnNode put) {
        if (put.name.indexOf('$') >= 0) {
            return List.of(); // of the compiler's own
        }
        String told = "the assignment of " + put.name + " left out";
        InsnNode value = new InsnNode(Type.getType(put.desc).getSize() == 2 ? Opcodes.POP2 : Opcodes.POP);
        return List.of(
                put.getOpcode() == Opcodes.PUTSTATIC
                        ? new Change(told, value)
                        : new Change(told, value, new InsnNode(Opcodes.POP)));
    }

    /** Null, or the zero of a type. */
    private static AbstractInsnNode nothing(Type type) {
        switch (type.getSort()) {
            case Type.LONG:
                return new InsnNode(Opcodes.LCONST_0);
            case Type.FLOAT:
                return new InsnNode(Opcodes.FCONST_0);
            case Type.DOUBLE:
                return new InsnNode(Opcodes.DCONST_0);
            case Type.ARRAY:
            case Type.OBJECT:
                return new InsnNode(Opcodes.ACONST_NULL);
            default:
                return new InsnNode(Opcodes.ICONST_0);
        }
    }

    /** Whether an instruction gives a constant, which changes itself, or null. */
    private static boolean isConstant(AbstractInsnNode one) {
        int opcode = one == null ? -1 : one.getOpcode();
        boolean number = opcode >= Opcodes.ICONST_M1 && opcode <= Opcodes.ICONST_5;
        boolean pushed = opcode == Opcodes.BIPUSH || opcode == Opcodes.SIPUSH;
        return opcode == Opcodes.ACONST_NULL || number || pushed || another(one) != null;
    }

    private static boolean gives(AbstractInsnNode one, String called) {
        return one instanceof MethodInsnNode && ((MethodInsnNode) one).name.equals(called);
    }

    /** The instruction before one, if nothing jumps between the two. */
    private static AbstractInsnNode before(AbstractInsnNode one) {
        AbstractInsnNode found = one.getPrevious();
        while (found instanceof LineNumberNode) {
            found = found.getPrevious();
        }
        return found;
    }

    /** The instruction above one. */
    private static AbstractInsnNode previous(AbstractInsnNode one) {
        AbstractInsnNode found = one.getPrevious();
        while (found != null && found.getOpcode() < 0) {
            found = found.getPrevious();
        }
        return found;
    }

    private static AbstractInsnNode after(AbstractInsnNode one) {
        AbstractInsnNode found = one.getNext();
        while (found != null && found.getOpcode() < 0) {
            found = found.getNext();
        }
        return found;
    }

    private static Change number(int value) {
        boolean one = value == 1 || value == Short.MAX_VALUE || value == Byte.MAX_VALUE;
        int other = one ? 0 : value + 1;
        return new Change(value + " became " + other, new IntInsnNode(Opcodes.SIPUSH, other));
    }

    private static int opposite(int jump) {
        if (jump == Opcodes.IFNULL || jump == Opcodes.IFNONNULL) {
            return jump == Opcodes.IFNULL ? Opcodes.IFNONNULL : Opcodes.IFNULL;
        }
        int place = jump - Opcodes.IFEQ; // they stand in pairs: equal, unequal, less, not less, …
        return Opcodes.IFEQ + (place % 2 == 0 ? place + 1 : place - 1);
    }

    /** Less and at most give way to each other, more and at least too. */
    private static int bounded(int jump) {
        if (jump >= Opcodes.IFLT && jump <= Opcodes.IFLE) {
            return Opcodes.IFLT + Opcodes.IFLE - jump;
        }
        if (jump >= Opcodes.IF_ICMPLT && jump <= Opcodes.IF_ICMPLE) {
            return Opcodes.IF_ICMPLT + Opcodes.IF_ICMPLE - jump;
        }
        return jump;
    }

    private static int opposed(int operator) {
        switch (operator) {
            case Opcodes.ISHL:
            case Opcodes.LSHL:
            case Opcodes.IAND:
            case Opcodes.LAND:
                return operator + 2; // shifted to the right, or
            case Opcodes.ISHR:
            case Opcodes.LSHR:
            case Opcodes.IOR:
            case Opcodes.LOR:
                return operator - 2;
            case Opcodes.IUSHR:
            case Opcodes.LUSHR:
            case Opcodes.IXOR:
            case Opcodes.LXOR:
                return operator - 4; // shifted to the left, and
            default:
                break;
        }
        boolean first = operator >= Opcodes.IADD && operator <= Opcodes.DADD;
        boolean third = operator >= Opcodes.IMUL && operator <= Opcodes.DMUL;
        if (first || third) {
            return operator + 4;
        }
        boolean inverse = operator >= Opcodes.ISUB && operator <= Opcodes.DDIV;
        boolean rest = operator >= Opcodes.IREM && operator <= Opcodes.DREM;
        return inverse ? operator - 4 : rest ? operator - 8 : operator;
    }

    /** Another constant in place of one that an instruction gives; null where it has none. */
    private static Object another(AbstractInsnNode one) {
        int opcode = one == null ? -1 : one.getOpcode();
        if (opcode == Opcodes.LCONST_0 || opcode == Opcodes.LCONST_1) {
            return opcode - Opcodes.LCONST_0 + 1L;
        }
        if (opcode >= Opcodes.FCONST_0 && opcode <= Opcodes.FCONST_2) {
            return opcode - Opcodes.FCONST_0 + 1f;
        }
        if (opcode == Opcodes.DCONST_0 || opcode == Opcodes.DCONST_1) {
            return opcode - Opcodes.DCONST_0 + 1.0;
        }
        Object value = one instanceof LdcInsnNode ? ((LdcInsnNode) one).cst : null;
        Object other = null;
        if (value instanceof Integer) {
            other = (Integer) value + 1;
        } else if (value instanceof Long) {
            other = (Long) value + 1;
        } else if (value instanceof Float) {
            other = (Float) value + 1;
        } else if (value instanceof Double) {
            other = (Double) value + 1;
        } else if (value instanceof String) {
            other = value + "!";
        }
        return other == null || other.equals(value) ? null : other; // as of what is infinite
    }
}
