package shop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.constant.ConstantDesc;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BinaryOperator;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

class HiddenNamesTest {
    Cart cart = new Cart();
    int count;
    Object other;
    String held = "a";
    List<Cart> many = new ArrayList<>();

    @interface Mark { String value() default ""; int[] sizes() default {}; }

    static class Node {
        int value;
        String name = "b";
        List<Node> kids = new ArrayList<>();
        Node(int value) { this.value = value; }
        Node then(Node next) { kids.add(next); return this; }
    }

    @Test
    void stepsAsStatements() {
        assertThrows(Sorry.class, () -> ++count);
        assertThrows(Sorry.class, () -> --cart.size);
        cart.run(() -> ++this.count);
        many.forEach(each -> --each.size);
    }

    @Test
    void headsOutliveBraces() {
        int sum = 0;
        int[] sizes = {1, 2};
        for (int i : sizes) sum = new int[] {1, 2}[i];
        for (int i : sizes) sum += new int[] {1, 2}[i] + i;
        for (Cart each : many) other = new Object() { int inside = 1; }.equals(each);
        for (Cart each : many) new Node(1) { int more; }.then(new Node(each.size));
        for (Cart each : many) other = new Other() { }.equals(each.first());
        for (Cart each : many) sum = switch (each.size) { case 1 -> 2; default -> { yield 3; } } + each.size;
        for (Cart each : many) sum = each.size; int each = sum;
    }

    static class Other { }

    @Test
    void fieldsOfParentsHideVariables() {
        final int size = 3;
        new Cart() { void grow() { size = 4; } };
        Node value = new Node(2) { { value = 3; } };
        int name = new Node(1) { int length() { return name.length(); } }.length();
        class Deep extends Node { Deep() { super(1); } void go() { value = name.length(); kids.clear(); } }
        Item kids = null;
        new Node(1) { void go() { kids.add(this); } };
        new Box<String>() { void go() { held = null; } };
        class Plain { int go() { return cart.total() + held.length(); } }
    }

    @Test
    void namesInAnnotations() {
        final String value = "x";
        final int[] sizes = {1};
        @Mark(value = "a") int one = 1;
        @Mark(sizes = {1, 2}, value = "b" + "c") final int two = 2;
        @Mark(sizes = {}) int three = value.length() + sizes[0];
    }

    @Test
    void finalFieldsOfLocalClasses() {
        class Own extends Exception {
            final int code;
            final String text;
            Own(int given) { code = given; text = "a"; }
        }
        assertEquals(1, new Own(1).code);
    }

    @Test
    void componentsHideVariables() {
        Node a = new Node(1), b = null;
        record Local(String a, int... b) {
            Local { b = b.clone(); }
            int first() { return a.length() + b[0]; }
        }
        record Two<T extends Comparable<T>>(T a, List<T> b) { }
        a.then(b).value = new Local("a", 1).first();
    }

    @Test
    void hexadecimalFractions() {
        Double boxed = 0x1p3;
        boxed = 0x1.8p1;
        Float small = 0x1p3f;
        int whole = 0x1f;
        Long large = 0x1dL;
    }

    @Test
    void constantDescriptions() {
        ConstantDesc one = 1;
        one = "a";
        one = 1.5;
    }

    @Test
    void labelsAndParametersLikeConstants() {
        OUTERMOST: for (int i = 0; i < 3; i++) {
            for (int j = 0; j < 3; j++) {
                if (j == 1) continue OUTERMOST;
                if (j == 2) break OUTERMOST;
            }
        }
        Function<Integer, Integer> one = GIVEN -> GIVEN + 1;
        BinaryOperator<Integer> two = (A, Z) -> A + Z;
    }
}
