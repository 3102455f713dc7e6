package personalizer;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.Label;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;

/**
 * Classes with one instruction of some lines changed, as PIT's default mutators do: a condition
 * turned round or its bound moved, arithmetic or a sign turned round, nothing returned, a call that
 * gives nothing left out; and as two that PIT has for the asking: a constant changed, an assignment
 * of a field left out, for a setter holds nothing else. None needs another stack than it had, so
 * the frames stay.
 */
final class Mutants {
    private static final int API = newest();
    /** Types of what is returned, and what of them is empty. */
    private static final Map<String, String> EMPTY =
            Map.of(
                    "java/util/Collection", "java/util/Collections.emptyList()Ljava/util/List;",
                    "java/util/Iterator", "java/util/Collections.emptyIterator()Ljava/util/Iterator;",
                    "java/util/List", "java/util/Collections.emptyList()Ljava/util/List;",
                    "java/util/Map", "java/util/Collections.emptyMap()Ljava/util/Map;",
                    "java/util/Optional", "java/util/Optional.empty()Ljava/util/Optional;",
                    "java/util/Set", "java/util/Collections.emptySet()Ljava/util/Set;");

    private Mutants() {}

    /** The newest of ASM that is here: older ones do not know records or sealed classes. */
    private static int newest() {
        for (int version = 9; version > 7; version--) {
            try {
                return Opcodes.class.getField("ASM" + version).getInt(null);
            } catch (ReflectiveOperationException older) {
                continue;
            }
        }
        return Opcodes.ASM7;
    }

    /**
     * Mutants of the lines, evenly from all that there are.
     *
     * @return by number the bytes of a class, and under "told" class, line and change of each
     */
    static Map<String, byte[]> of(Map<String, byte[]> classes, int first, int last, int most) {
        List<String> told = new ArrayList<>();
        for (Map.Entry<String, byte[]> one : classes.entrySet()) {
            Change counting = new Change(one.getKey(), first, last, -1);
            counting.applied(one.getValue());
            told.addAll(counting.told);
        }
        Map<String, byte[]> answer = new LinkedHashMap<>();
        List<String> chosen = new ArrayList<>();
        int count = Math.min(most, told.size());
        for (int number = 0; number < count; number++) {
            int place = number * told.size() / count;
            String line = told.get(place);
            String name = line.substring(0, line.indexOf('\t'));
            int before = 0;
            while (!told.get(before).startsWith(name + "\t")) {
                before++;
            }
            Change change = new Change(name, first, last, place - before);
            answer.put("mutant:" + number, change.applied(classes.get(name)));
            chosen.add(line);
        }
        answer.put("told", Wire.bytes(String.join("\0", chosen)));
        return answer;
    }

    /** Counts the places of a class where something can change, and changes one. */
    private static final class Change extends ClassVisitor {
        final List<String> told = new ArrayList<>();
        private final String name;
        private final int first;
        private final int last;
        private final int wanted;
        private int line;

        Change(String name, int first, int last, int wanted) {
            super(API);
            this.name = name;
            this.first = first;
            this.last = last;
            this.wanted = wanted;
        }

        byte[] applied(byte[] original) {
            ClassReader reader = new ClassReader(original);
            ClassWriter writer = new ClassWriter(reader, 0);
            cv = writer;
            reader.accept(this, 0);
            return writer.toByteArray();
        }

        /** Whether it is this place that changes. */
        private boolean here(String what) {
            if (line < first || line > last) {
                return false;
            }
            told.add(name + "\t" + line + "\t" + what);
            return told.size() - 1 == wanted;
        }

        @Override
        public MethodVisitor visitMethod(
                int access, String method, String type, String signature, String[] exceptions) {
            MethodVisitor out = super.visitMethod(access, method, type, signature, exceptions);
            line = 0;
            Type returned = Type.getReturnType(type);
            return (access & Opcodes.ACC_BRIDGE) == 0 ? new Instructions(out, returned) : out;
        }

        private final class Instructions extends MethodVisitor {
            private final Type returned;
            /** Whether the last instruction gave a constant, which is changed itself, or null. */
            private boolean constant;

            Instructions(MethodVisitor out, Type returned) {
                super(API, out);
                this.returned = returned;
            }

            @Override
            public void visitLineNumber(int number, Label start) {
                line = number;
                super.visitLineNumber(number, start);
            }

            @Override
            public void visitLabel(Label label) {
                constant = false;
                super.visitLabel(label);
            }

            @Override
            public void visitVarInsn(int opcode, int variable) {
                constant = false;
                super.visitVarInsn(opcode, variable);
            }

            @Override
            public void visitJumpInsn(int opcode, Label to) {
                boolean condition = opcode != Opcodes.GOTO && opcode != Opcodes.JSR;
                int changed = opcode;
                if (condition && here("the condition turned round")) {
                    changed = opposite(opcode);
                }
                if (bounded(opcode) != opcode && here("the bound of the condition moved")) {
                    changed = bounded(opcode);
                }
                super.visitJumpInsn(changed, to);
            }

            @Override
            public void visitInsn(int opcode) {
                if (opcode >= Opcodes.IRETURN && opcode <= Opcodes.ARETURN && !constant) {
                    visitReturn();
                }
                constant = opcode >= Opcodes.ACONST_NULL && opcode <= Opcodes.DCONST_1;
                if (opcode >= Opcodes.ICONST_M1 && opcode <= Opcodes.ICONST_5) {
                    int value = opcode - Opcodes.ICONST_0;
                    int other = value == 1 ? 0 : value + 1;
                    if (here(value + " became " + other)) {
                        super.visitIntInsn(Opcodes.BIPUSH, other);
                        return;
                    }
                } else if (opposed(opcode) != opcode && here("arithmetic turned round")) {
                    super.visitInsn(opposed(opcode));
                    return;
                } else if (isNegation(opcode) && here("a sign turned round")) {
                    return;
                }
                super.visitInsn(opcode);
            }

            /** What is about to be returned gives way to what says nothing. */
            private void visitReturn() {
                if (returned == Type.BOOLEAN_TYPE) {
                    visitReturned("true", Opcodes.ICONST_1);
                    visitReturned("false", Opcodes.ICONST_0);
                } else if (returned.getSort() <= Type.DOUBLE) {
                    visitReturned("0", returned.getSort() <= Type.INT ? Opcodes.ICONST_0 : zero());
                } else if (returned.getInternalName().equals("java/lang/String")) {
                    if (here("an empty text returned")) {
                        super.visitInsn(Opcodes.POP);
                        super.visitLdcInsn("");
                    }
                } else if (!EMPTY.containsKey(returned.getInternalName())) {
                    visitReturned("null", Opcodes.ACONST_NULL);
                } else if (here("nothing in it returned")) {
                    String[] call = EMPTY.get(returned.getInternalName()).split("\\.|(?=\\()");
                    super.visitInsn(Opcodes.POP);
                    super.visitMethodInsn(Opcodes.INVOKESTATIC, call[0], call[1], call[2], false);
                }
            }

            private void visitReturned(String told, int instead) {
                if (here(told + " returned")) {
                    super.visitInsn(returned.getSize() == 2 ? Opcodes.POP2 : Opcodes.POP);
                    super.visitInsn(instead);
                }
            }

            private int zero() {
                Map<Type, Integer> zeros =
                        Map.of(
                                Type.LONG_TYPE, Opcodes.LCONST_0,
                                Type.FLOAT_TYPE, Opcodes.FCONST_0,
                                Type.DOUBLE_TYPE, Opcodes.DCONST_0);
                return zeros.get(returned);
            }

            @Override
            public void visitFieldInsn(int opcode, String owner, String field, String type) {
                constant = false;
                boolean put = opcode == Opcodes.PUTFIELD || opcode == Opcodes.PUTSTATIC;
                boolean written = put && field.indexOf('$') < 0;
                if (!written || !here("the assignment of " + field + " left out")) {
                    super.visitFieldInsn(opcode, owner, field, type);
                    return;
                }
                super.visitInsn(Type.getType(type).getSize() == 2 ? Opcodes.POP2 : Opcodes.POP);
                if (opcode == Opcodes.PUTFIELD) {
                    super.visitInsn(Opcodes.POP);
                }
            }

            @Override
            public void visitIntInsn(int opcode, int value) {
                boolean number = opcode == Opcodes.BIPUSH || opcode == Opcodes.SIPUSH;
                constant = number; // and no kind of array
                int other = value == Short.MAX_VALUE || value == Byte.MAX_VALUE ? 0 : value + 1;
                boolean change = number && here(value + " became " + other);
                super.visitIntInsn(opcode, change ? other : value);
            }

            @Override
            public void visitLdcInsn(Object value) {
                constant = another(value) != null;
                Object other = another(value);
                boolean change = other != null && here("a constant changed");
                super.visitLdcInsn(change ? other : value);
            }

            @Override
            public void visitIincInsn(int variable, int by) {
                super.visitIincInsn(variable, here("an increment turned round") ? -by : by);
            }

            @Override
            public void visitMethodInsn(
                    int opcode, String owner, String called, String type, boolean isInterface) {
                constant = false;
                boolean nothing = Type.getReturnType(type) == Type.VOID_TYPE && !called.equals("<init>");
                if (!nothing || !here("the call of " + called + " left out")) {
                    super.visitMethodInsn(opcode, owner, called, type, isInterface);
                    return;
                }
                Type[] arguments = Type.getArgumentTypes(type);
                for (int place = arguments.length - 1; place >= 0; place--) {
                    super.visitInsn(arguments[place].getSize() == 2 ? Opcodes.POP2 : Opcodes.POP);
                }
                if (opcode != Opcodes.INVOKESTATIC) {
                    super.visitInsn(Opcodes.POP);
                }
            }
        }
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

    private static boolean isNegation(int opcode) {
        return opcode >= Opcodes.INEG && opcode <= Opcodes.DNEG;
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
