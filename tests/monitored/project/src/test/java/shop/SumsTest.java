package shop;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BinaryOperator;
import java.util.function.IntBinaryOperator;
import java.util.function.Supplier;
import java.util.function.ToIntFunction;

class SumsTest {
    Cart cart = new Cart();
    Item item;
    Object other;
    Integer boxed = 1;
    Character letter = 'a';
    List<String> names = List.of("a" + 1, 1 + "b");
    Map<String, Integer> counts = Map.of("a", 1 + 2);
    boolean more;
    int size;
    long[] sizes = {1 + 2, size * 2L, boxed - letter};

    static void say(String what) { }
    static void count(int what) { }
    static void many(long what, double... others) { }
    static void any(Object what) { }
    static void is(boolean what) { }
    static void letter(char what) { }
    static <T> T same(T one) { return one; }
    Cart itself() { return cart; }

    void withTexts() throws Exception {
        String a = cart + "a", b = "a" + cart + item, c = item + cart.first().toString(), d = 'a' + "b";
        String e = cart.size + 1 + "a" + 1 + item, f = "a" + (cart.size - 1), g = 1 - 2 * 3 + "a";
        String h = cart + (more ? "a" : "b"), i = (Object) cart + "a", j = "" + -1 * 2, k = null + a;
        String l = other + "a" + null + true, m = "a" + 'b' + 1.5 + 2L, n = more + a, o = !more + a;
        String p = (String) other + other, q = cart + (String) other, r = "a" + (char) (letter + 1);
        String s = names.get(0) + names.get(1) + 1 + cart, t = cart + names.get(0);
        String u = itself() + "a" + itself().first() + this, v = new Cart() + "a" + new Cart().first();
        String w = (a + b).trim() + (cart + "b").length(), x = a + b == c ? d + e : cart + f;
        String y = same("a") + cart, z = cart + same("a") + """
            more""" + cart;
        a += cart;
        a += 1 + 2;
        a = a + b + null;
        a = b = cart + c;
        say(cart + "a");
        say("of " + cart + " and " + item + (1 + 1));
        say(cart.toString() + cart.size + cart);
        say("a" + sizes + sizes[1 + 1] + new int[] {1 + 1} + int.class + Cart.class);
        any(cart + "a" == a + 1);
        is((cart + "a").equals(a + 1) && "a" + 1 != "b" + 2);
        for (String one : ("a" + item).split("," + 1)) say(one + cart);
        var text = cart + "a";
        say(text + cart);
        StringBuilder out = new StringBuilder("a" + cart);
        out.append(cart + "a").append('a' + 1).append(out + "b");
        CharSequence sequence = "a" + cart;
        Comparable<String> comparable = cart + "a";
        Supplier<String> supplier = () -> cart + "a" + 1;
        BinaryOperator<String> operator = (one, two) -> one + two + cart;
        throw new Exception("a" + cart + ": " + other);
    }

    void withNumbers() {
        long a = cart.size + 1L, b = cart.total() * 2 - 1, c = 'a' * 2, d = boxed + letter;
        double e = cart.size / 2.0 + 'a', f = 1 / 2f - a % 3, g = -1 - -2 + +3, h = 1e3 * .5;
        int i = size++ + 1, j = 1 + ++size, k = size-- - -1, l = (int) 1.5 + 2, m = ~size + ~1;
        byte n = 1 + 2;
        char o = 'a' + 1, p = (char) ('a' + size);
        short q = 'a' - 1;
        float r = 1 + 2L;
        Integer s = 1 * 2, t = boxed * boxed, u = counts.get("a") + 1;
        Long v = 1L + 1, w = a * 2;
        Object x = 1 + 2, y = more ? 1 + 2 : cart + "b";
        Number z = 1 + 2.5;
        size += cart.size * 2;
        size -= 'a' + 1;
        size++;
        --size;
        size = -size + 1;
        i = j = k + 1;
        n += 1 + 2;
        sizes[size + 1] = sizes[0] + sizes[cart.size - 1];
        sizes[1 + 1] += 1 + 2;
        count(size + 1);
        count(cart.total() * 2 - 1 << 2 + 1);
        count(more ? size + 1 : size - 1);
        count((size + 1) * (size - 1) / 2 % 3);
        count("a".length() + "b".indexOf('b') % 2);
        count((int) (a + b) + (int) c);
        count(boxed + 1);
        many(1 + 2, 1 + 2, 1 + 2L, size * 2.5f);
        letter((char) (letter + 1));
        any(-1 + 2);
        is(size + 1 > size - 1 && size % 2 == 0 || size + 1 != 2 * 3 & a - b <= c);
        is(cart.total() + 1 >= 2);
        is(1 + size < 2);
        if (size + 1 > size - 1) size = size + 1;
        for (int one = 0 + 1, two = 2 * 3; one < size - 1; one = one + 2, two--) count(one + two);
        while (size - 1 > 0 + 1) --size;
        int[] all = {1 + 2, size * 2}, none = new int[size + 1];
        int way = switch (size + 1) { case 1 + 1 -> 2 * 3; default -> 1 - cart.size; };
        IntBinaryOperator operator = (one, two) -> one * two + 1;
        ToIntFunction<Cart> function = one -> one.size + 1;
        assert size + 1 > 2 : "a" + size + 1;
        var sum = size + 1L;
        sum += sum * 2 + boxed;
        BigDecimal decimal = new BigDecimal("1" + 2).add(BigDecimal.valueOf(1 + 2));
        List<Integer> numbers = new ArrayList<>(size + 1);
        numbers.add(1 + 2);
        numbers.add(size * 2, size - 1);
        any(numbers.get(0) + numbers.get(1) - 1);
        any(Integer.MAX_VALUE + 1 + Cart.MAX_SIZE * 2 + rest());
        any(new Object() { int one = 1 + 2; String two = cart + "a"; int three() { return one - 2; } });
        any((Runnable) () -> size++);
    }

    private int rest() {
        if (more) return size + 1;
        return more ? -size - 1 : -(size + 1) * 2;
    }
}
