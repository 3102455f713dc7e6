package shop;

import java.util.List;
import java.util.Map;
import java.util.function.IntPredicate;
import java.util.function.Predicate;
import java.util.function.Supplier;

class ComparedTest {
    Cart cart = new Cart();
    Item item;
    Object other;
    List<Cart> many;
    boolean more;
    Boolean most = true;
    int size;
    String text = "a";

    static void say(String what) { }
    static void say(Cart what) { }
    static void is(boolean what, String why) { }
    static void any(Object what) { }
    static void count(int what) { }
    static void when(Predicate<Cart> what, Cart of) { }
    static <T> T same(T one) { return one; }

    void inArguments() {
        is(cart == null, "a");
        is(!more && most || other instanceof Cart, "a" + (size == 1));
        is(size != 1, !more + "b");
        say(!more + "a");
        say(more == most ? "a" : "b");
        say(!more ? cart : null);
        say(more && most ? text : "a" + more);
        say(other instanceof String s ? s : text);
        any(size == 1);
        count(size == 1 ? 2 : size != 3 ? 4 : 5);
        when(x -> x == cart, cart);
        when(x -> !x.equals(cart) && more, same(more ? cart : null));
        when(x -> x instanceof Cart, (cart));
        say((more != most ? cart : null));
        same(size == 1).equals(cart == other);
        Map.of(more == most, cart, !more, new Cart());
    }

    void inValues() {
        String a = !more + "a", b = more == most ? "a" : "b";
        int c = size == 1 ? 2 : 3;
        boolean d = size == 1, e = !d, f = d || e;
        Boolean g = cart == other;
        Object h = cart == other;
        Cart k = cart == null ? new Cart() : cart;
        boolean[] l = {size == 1, !more, d & e};
        Cart[] m = {more ? cart : null, !more ? null : cart};
        int[] n = new int[more ? 1 : 2];
        IntPredicate p = x -> x == 1;
        Predicate<Cart> q = x -> !more;
        Supplier<Cart> r = () -> cart == null ? null : cart;
        c = !more ? 1 : 2;
        a += size == 1;
        text = a += more == most;
        say(text += size == 1);
        c = l[0] == l[1] ? c : n[size == 1 ? 0 : 1];
        Object o = switch (size) { case 1 -> size == 1; default -> "a"; };
    }

    void inConditions() throws Exception {
        if (more) { }
        if (most) { }
        if (!more == most) { }
        if ((more)) { }
        if (more = most) { }
        if ((Boolean) other) { }
        if ((boolean) (other)) { }
        if (same(true)) { }
        if (other instanceof Cart c && c.total() > 1) { }
        if (many.get(0).total() > 1 | size < 2) { }
        if (switch (size) { default -> true; }) { }
        if (more ? most : more & most) { }
        if (Boolean.TRUE) { } else if (text.isEmpty()) { }
        int n;
        while ((n = System.in.read()) != -1) { }
        while (more) { break; }
        do { size++; } while (size < 3);
        while (many.iterator().hasNext()) { break; }
        if (new boolean[] {true}[0]) { }
        if (((Supplier<Boolean>) () -> true).get()) { }
    }

    void inBrackets() {
        int a = (1), b = (int) (2.5), c = (int) (2.5 + 1), d = (byte) (a);
        Cart e = (Cart) (other), f = (shop.Cart) (other), g = (e);
        String h = ("a"), i = ("a" + 1) + 1, j = (String) (other);
        Map.Entry<String, Cart> k = (Map.Entry<String, Cart>) (other);
        long l = (long) (int) (2.5), m = (a) + (b), n = -(a);
        say((cart));
        say(("a"));
        count((size));
        count((int) (2.5));
        count((Integer) (other));
        count(("a").length() + (text).length());
        (cart).total();
        ((Cart) other).total();
        (more ? cart : cart).total();
        double o = (a) * 2.5, p = (a) / (2.5);
        Runnable q = (() -> size++), r = (cart::total);
        if (more) (cart).total();
        Object s = (Object) (a), t = (Runnable) (() -> { });
        Comparable<Integer> u = (a);
        Integer v = (size = 1);
    }
}
