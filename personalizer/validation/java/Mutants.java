package personalizer;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
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

    private Mutants() {}

    /**
     * Mutants of the lines from the first to the last: evenly from those that ran, then from others.
     *
     * @return by number the bytes of a class, and under "told" class, line and change of each
     */
    static Map<String, byte[]> of(
            Map<String, byte[]> classes, int first, int last, Set<String> ran, int most) {
        List<Place> seen = new ArrayList<>();
        List<Place> unseen = new ArrayList<>();
        for (Map.Entry<String, byte[]> one : classes.entrySet()) {
            for (Place place : places(one.getKey(), one.getValue())) {
                if (place.line >= first && place.line <= last) {
                    (ran.contains(String.valueOf(place.line)) ? seen : unseen).add(place);
                }
            }
        }
        List<Place> chosen = evenly(seen, most);
        chosen.addAll(evenly(unseen, most - chosen.size()));
        Map<String, byte[]> answer = new LinkedHashMap<>();
        List<String> told = new ArrayList<>();
        for (Place place : chosen) {
            answer.put("mutant:" + told.size(), place.changed(classes.get(place.name)));
            told.add(place.name + "\t" + place.line + "\t" + place.told);
        }
        answer.put("told", Wire.bytes(String.join("\0", told)));
        return answer;
    }

    private static List<Place> evenly(List<Place> all, int most) {
        List<Place> chosen = new ArrayList<>();
        int count = Math.min(most, all.size());
        for (int number = 0; number < count; number++) {
            chosen.add(all.get(number * all.size() / count));
        }
        return chosen;
    }

    /** What can change in a class, in the order of its instructions. */
    private static List<Place> places(String name, byte[] original) {
        List<Place> found = new ArrayList<>();
        List<MethodNode> methods = tree(original).methods;
        for (int method = 0; method < methods.size(); method++) {
            MethodNode node = methods.get(method);
            boolean bridge = (node.access & Opcodes.ACC_BRIDGE) != 0;
            int line = 0;
            for (int number = 0; number < node.instructions.size() && !bridge; number++) {
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
            return isConstant(before(one)) ? List.of() : returns(opcode, returned);
        } else if (opposed(opcode) != opcode) {
            return List.of(new Change("arithmetic turned round", new InsnNode(opposed(opcode))));
        } else if (opcode >= Opcodes.INEG && opcode <= Opcodes.DNEG) {
            return List.of(new Change("a sign turned round"));
        } else if (opcode >= Opcodes.ICONST_M1 && opcode <= Opcodes.ICONST_5) {
            return List.of(number(opcode - Opcodes.ICONST_0));
        } else if (opcode == Opcodes.BIPUSH || opcode == Opcodes.SIPUSH) {
            return List.of(number(((IntInsnNode) one).operand));
        } else if (one instanceof LdcInsnNode && another(((LdcInsnNode) one).cst) != null) {
            Object other = another(((LdcInsnNode) one).cst);
            return List.of(new Change("a constant changed", new LdcInsnNode(other)));
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
        int opposite = opposite(one.getOpcode());
        int bounded = bounded(one.getOpcode());
        Change turned =
                new Change("the condition turned round", new JumpInsnNode(opposite, one.label));
        Change moved =
                new Change("the bound of the condition moved", new JumpInsnNode(bounded, one.label));
        return bounded == one.getOpcode() ? List.of(turned) : List.of(turned, moved);
    }

    /** What is about to be returned gives way to what says nothing. */
    private static List<Change> returns(int opcode, Type returned) {
        switch (returned.getSort()) {
            case Type.BOOLEAN:
                return List.of(
                        returned("true", opcode, new InsnNode(Opcodes.ICONST_1)),
                        returned("false", opcode, new InsnNode(Opcodes.ICONST_0)));
            case Type.OBJECT:
                if (returned.getInternalName().equals("java/lang/String")) {
                    return List.of(returned("an empty text", opcode, new LdcInsnNode("")));
                }
                if (EMPTY.containsKey(returned.getInternalName())) {
                    String[] of = EMPTY.get(returned.getInternalName()).split(" ");
                    AbstractInsnNode call =
                            new MethodInsnNode(Opcodes.INVOKESTATIC, of[0], of[1], of[2], false);
                    return List.of(returned("nothing in it", opcode, call));
                }
                return List.of(returned("null", opcode, nothing(returned)));
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
        if (taken || call.name.equals("<init>")) {
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
        boolean number = opcode >= Opcodes.ACONST_NULL && opcode <= Opcodes.SIPUSH;
        return number || (one instanceof LdcInsnNode && another(((LdcInsnNode) one).cst) != null);
    }

    /** The instruction before one, if nothing jumps between the two. */
    private static AbstractInsnNode before(AbstractInsnNode one) {
        AbstractInsnNode found = one.getPrevious();
        while (found instanceof LineNumberNode) {
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
        if (operator >= Opcodes.IADD && operator <= Opcodes.DSUB) {
            return operator < Opcodes.ISUB ? operator + 4 : operator - 4;
        }
        if (operator >= Opcodes.IMUL && operator <= Opcodes.DDIV) {
            return operator < Opcodes.IDIV ? operator + 4 : operator - 4;
        }
        return operator;
    }

    private static Object another(Object value) {
        if (value instanceof Integer) {
            return (Integer) value + 1;
        }
        if (value instanceof Long) {
            return (Long) value + 1;
        }
        if (value instanceof Float) {
            return (Float) value + 1;
        }
        if (value instanceof Double) {
            return (Double) value + 1;
        }
        return value instanceof String ? value + "!" : null;
    }
}
