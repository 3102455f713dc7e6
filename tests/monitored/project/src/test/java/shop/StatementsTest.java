package shop;

import org.junit.jupiter.api.Test;
import java.util.List;
import java.util.Map;
import java.util.Map.Entry;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Collections;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.function.Function;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.function.BiFunction;
import java.util.function.BiConsumer;
import ext.Other;
import static java.lang.Math.PI;
import static java.lang.Math.abs;
import static java.lang.Math.max;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.assertThrows;

class StatementsTest {
    Cart cart = new Cart(); Item one, two; Object other; List<Cart> many; Item item; Map<String, Cart> carts; Num num = new Num(); int size; static final int K = 3;
    int helper(int x) { return x; } int helper() { return 1; }
    Map<String, String[][]> mm; T2 t2;
    static class T2 { }
    Bean bean = new Bean();
    void foo(boolean a, boolean b) {}
    <T> T gen(T x) { return x; }
    static class Helper { int v; Helper(int v) { this.v = v; } } class In { int z = helper(1); }
    <T> T[] arr(T... xs) { return xs; }
    <T extends Cart> T same(T x) { return x; } static <E extends Enum<E>> E en(Class<E> c) { return null; }
    String cart2;
    DAO<Cart> dao = null;
    static class Fix { int n = 1; Fix with(int n) { this.n = n; return this; } } private static int sh(int... xs) { return xs.length; }

    @Test
    void totals() {
        assertEquals(0, new Cart().total());
    }

    void cArrayLocal() throws Exception {
        int x[] = {1, 2};
        assertEquals(2, x.length);
    }

    void cArrayMulti() throws Exception {
        int a = 1, b[] = {1, 2};
        assertEquals(2, b.length);
        int c = b[0];
    }

    void cArrayParamField() throws Exception {
        new Cart().ints(new int[] {1});
        int n = cart.rows.length;
        int k = cart.rows[0];
    }

    void cArrayParam() throws Exception {
        int[] xs = cart.arr();
        cart.ints(xs);
        int[] r = cart.rows;
    }

    void explicitTypeArgsCall() throws Exception {
        List<String> l = Collections.<String>emptyList();
        Cart.<Item>listOf(one);
    }

    void lowerEnumCaseComma() throws Exception {
        Mode m = Mode.open;
        switch (m) {
            case open, shut -> helper(1);
        }
    }

    void lowerEnumCase() throws Exception {
        Mode m = Mode.open;
        switch (m) {
            case open: helper(1);
            break;
            case shut: break;
            default:
        }
    }

    void lowerEnumSwitchExpr() throws Exception {
        Mode m = Mode.open;
        int r = switch (m) {
            case open -> 1;
            case shut -> 2;
        };
    }

    void yieldParen() throws Exception {
        int r = switch (size) {
            case 1: yield (2);
            default: yield -1;
        };
    }

    void yieldBlock() throws Exception {
        int r = switch (size) {
            case 1 -> {
                int z = 1;
                yield z;
            }
            default -> {
                int z = 2;
                yield z + 1;
            }
        };
    }

    void localRecordMethods() throws Exception {
        record Point(int x, int y) {
            int sum() {
                return x() + y();
            }
            Point withX(int x) {
                return new Point(x, y);
            }
        }
        assertEquals(1, new Point(1, 2).sum());
    }

    void localRecordShadows() throws Exception {
        record Item(int x) { }
        Item i = new Item(1);
        int k = i.x();
    }

    void localRecordCompact() throws Exception {
        record P(int x) {
            P {
                if (x < 0) throw new IllegalArgumentException();
            }
            static P of(int v) {
                return new P(v);
            }
        }
        P.of(1).x();
    }

    void localInterface() throws Exception {
        interface F {
            int a(int x);
            int b(int x);
        }
        F f = new F() {
            public int a(int x) {
                return x;
            }
            public int b(int x) {
                return x;
            }
        };
        f.a(1);
    }

    void localAbstract() throws Exception {
        abstract class A {
            abstract int a(int x);
            abstract int b(int x);
            int c(int x) {
                return a(x);
            }
        }
    }

    void localEnum() throws Exception {
        enum E {
            A(1), B(2) {
                int v() {
                    return 3;
                }
            };
            final int n;
            E(int n) {
                this.n = n;
            }
            int v() {
                return n;
            }
        }
        assertEquals(1, E.A.v());
    }

    void instanceofDup() throws Exception {
        boolean a = other instanceof Cart c && c.size == 1;
        boolean b = other instanceof Item c && c.price() == 2;
    }

    void instanceofNegated() throws Exception {
        if (!(other instanceof Cart c)) {
            return;
        }
        c.total();
    }

    void instanceofTernary() throws Exception {
        int k = other instanceof Cart c ? c.total() : 0;
        int j = other instanceof Item c ? c.price() : 0;
    }

    void fieldAfterLoop() throws Exception {
        for (Cart item : many) {
            item.total();
        }
        item.price();
    }

    void fieldAfterCatch() throws Exception {
        try {
            helper();
        } catch (RuntimeException cart) {
            cart.getMessage();
        }
        cart.total();
    }

    void fieldAfterTryRes() throws Exception {
        try (Res cart = new Res()) {
            cart.close();
        }
        cart.total();
    }

    void fieldAfterLambda() throws Exception {
        Consumer<Item> f = (Item cart) -> cart.price();
        cart.total();
    }

    void constCompareArg() throws Exception {
        Cart.check(Cart.MAX_SIZE < size, "a");
    }

    void constCompareLit() throws Exception {
        boolean b = Cart.MAX_SIZE < 5;
    }

    void constCompareFlag() throws Exception {
        Cart.flag(Cart.MAX_SIZE < 5);
    }

    void constKCompare() throws Exception {
        boolean b = K < 5;
        Cart.flag(K < 5);
        Cart.check(K < size, "b");
    }

    void constCompareGt() throws Exception {
        boolean b = Cart.MAX_SIZE > 5;
        if (Cart.MAX_SIZE < size) {
            helper();
        }
        for (int i = 0; Cart.N < i; i++) { }
    }

    void doubleDot() throws Exception {
        double a = .5;
        Double d = .5;
        Cart.boxed(.5);
        Cart.boxed(1e3);
        Cart.boxed(1.);
        Cart.boxed(1d);
    }

    void hexEtc() throws Exception {
        long a = 0xFFL;
        int b = 0b11;
        int c = 1_000;
        float f = .5f;
        float g = 1e-3f;
        double h = 0x1p3;
        Double k = 1e-3;
        long q = 0L;
    }

    void charConcat() throws Exception {
        cart.save('a' + "b");
        Cart.flag('a' == 98);
    }

    void stringResults() throws Exception {
        Cart.much("abc".chars().count());
    }

    void stringResults2() throws Exception {
        Cart.names("a b".lines().toList());
    }

    void overloadUnknown() throws Exception {
        ext.Other o = null;
        int x = Cart.conv(o);
    }

    void fullJoda() throws Exception {
        cart.took().whatever();
    }

    void fullSql() throws Exception {
        cart.sql().toLocalDate();
    }

    void typeVarNamedType() throws Exception {
        Box<String> b = new Box<>();
        String s = b.get();
        b.put("x");
        b.get().length();
    }

    void methodTypeVarNamedType() throws Exception {
        String s = cart.generic("a");
        cart.generic("a").length();
    }

    void interfaceSuper() throws Exception {
        Shop s = new Shop() {
            public Cart cart() {
                return null;
            }
            public void close(Cart c) {
                Shop.super.close(c);
            }
        };
    }

    void fqProject() throws Exception {
        shop.Cart c = new shop.Cart();
        c.total();
        shop.Cart.of();
    }

    void fqJava() throws Exception {
        java.util.List<String> l = new java.util.ArrayList<>();
        java.time.Duration.ofDays(1);
    }

    void numbers() throws Exception {
        num.l(1);
        num.l('a');
        num.d(1);
        num.d(1f);
        num.d('c');
        num.i('a');
        num.i(Integer.valueOf(1));
        num.I(1);
        num.o(1);
        num.n(1);
        num.n(1.5);
        num.cs("a");
        num.cmp(1);
        num.cmp("a");
        num.s((short) 1);
        num.c((char) 65);
        num.c((char) (65 + 1));
    }

    void assignConst() throws Exception {
        byte b = 1;
        short s = 'a';
        char c = 65;
        Byte x = 1;
        Character y = 65;
        b += 5;
        c++;
        long q = c;
        final int z = 3;
        byte w = z;
        Short sh = (short) 4;
        char d = 'a' + 1;
        int e = 'a' + 'b';
        Long l = 1L;
        Object ob = 1;
        Number nu = 1;
        Comparable<?> co = 'c';
        java.io.Serializable se = new int[0];
        Object arr = new int[] {1};
    }

    void ternaryArg() throws Exception {
        num.i(size > 0 ? 1 : 2);
        num.I(size > 0 ? 1 : null);
        cart.add(size > 0 ? one : null, 1);
    }

    void generics() throws Exception {
        Map<String, List<Map<Integer, int[]>>> m = new HashMap<>();
        m.get("a").get(0).get(1)[0]++;
        List<? extends Cart> l = many;
        for (Map.Entry<String, Cart> e : carts.entrySet()) {
            e.getValue().total();
        }
    }

    void lambda() throws Exception {
        Function<Cart, Integer> f = Cart::total;
        BiFunction<Integer, Integer, Integer> g = (a, b) -> a + b;
        Supplier<int[]> s = () -> new int[] {1};
        Function<Integer, int[]> h = int[]::new;
        Comparator<Cart> k = Comparator.comparing(Cart::total).reversed();
        cart.apply((a, b) -> {
            int c = a + b;
            return c;
        });
        cart.run(() -> {
            int c = 1;
        });
        int c = 2;
    }

    void lambdaNested() throws Exception {
        Function<Integer, Function<Integer, Integer>> f = a -> b -> a + b;
        many.stream().map(x -> x.first()).filter(x -> x != null).forEach(x -> {
            helper(x.price());
        });
        many.forEach((final var x) -> x.total());
    }

    void anon() throws Exception {
        Runnable r = new Runnable() {
            int n;
            @Override public void run() {
                n++;
                go();
            }
            void go() {
                int n = 2;
                Cart cart = null;
            }
        };
        r.run();
        Shape sh = new Shape(3) {
            int area() {
                return 1;
            }
        };
        sh.area();
    }

    void innerPrivate() throws Exception {
        Cart.Builder b = new Cart.Builder().owner("a");
        b.owner("x").build().total();
    }

    void arrays() throws Exception {
        Cart[] cs = new Cart[3];
        cs[0] = cart;
        cs[0].total();
        Cart[][] t = new Cart[2][3];
        t[0][1].total();
        t[0].clone();
        int n = cs.length + t[1].length;
        Cart[] d = cs.clone();
        long[] ls = {1, 'a'};
        double[] ds = {1, 2f};
        char[] ch = {65, 'b'};
        Object[] os = {1, "a", null, cart};
        String[] ss = "a,b".split(",");
        ss[0].length();
        Integer[] is = {1, null};
        int[][] jag = {{1}, { }, new int[] {2}};
        int[] last = jag[jag.length - 1];
    }

    void varargs() throws Exception {
        Cart.of();
        Cart.of(one);
        Cart.of(one, two);
        Cart.of(new Item[] {one});
        Cart.of((Item) null);
        new Cart(null);
        new Cart("a", new int[] {1});
        cart.bytes("a".getBytes(), 'c');
        cart.bytes(null, 'c', 1, "x");
        cart.bytes(new byte[] {1}, 'c', (Object[]) null);
        String.format("%s", 1, 2);
    }

    void genericRecord() throws Exception {
        Pair<String, Integer> p = new Pair<>("a", 1);
        String s = p.left();
        int i = p.right();
        Pair.twice(1).left();
        new Pair<String, Integer>("a");
        int c = Pair.COUNT;
    }

    void labels() throws Exception {
        outer: for (int i = 0; i < 3; i++) {
            inner: for (int j = 0; j < 3; j++) {
                if (j == 1) continue outer;
                if (i == 2) break outer;
            }
        }
    }

    void textBlock() throws Exception {
        String s = """
   a "b" \""" c
   """;
        s.length();
        cart.save("""
 x""");
        assertEquals("""
 a""".length(), 3);
    }

    void inferred() throws Exception {
        var c = new Cart();
        c.total();
        var list = new ArrayList<String>();
        list.get(0).length();
        for (var x : many) {
            x.total();
        }
        for (var i = 0; i < 3; i++) { }
    }

    void tryRes() throws Exception {
        try (Res a = new Res(); Res b = new Res()) {
            a.close();
        }
        Res r = new Res();
        try (r) { }
        try (r; Res z = r) { }
        try (java.io.StringReader sr = new java.io.StringReader("a")) {
            sr.read();
        } finally { }
    }

    void multiCatch() throws Exception {
        try {
            helper();
        } catch (IllegalStateException | IllegalArgumentException e) {
            e.getMessage();
        } catch (final RuntimeException e) {
            throw e;
        }
    }

    void staticImport() throws Exception {
        assertEquals(1, abs(-1));
        assertEquals(PI, 3.0);
        int m = max(1, 2);
    }

    void nestedBlocks() throws Exception {
        {
            {
                int x = 1;
            }
            {
                int x = 2;
            }
        }
        {
            int x = 3;
        }
    }

    void switchOld() throws Exception {
        switch (size) {
            case 1: { int x = 1; break; }
            case 2: int y = 2;
            break;
            default: y = 3;
        }
    }

    void conditionalChain() throws Exception {
        int a = size > 1 ? 2 : size < 3 ? 4 : 5;
        boolean b = size < a && a > size;
        boolean c = helper(1) < size;
        if (size < a || a >= 3) { }
    }

    void shift() throws Exception {
        int a = size >> 2, b = size >>> 1, c = size << 3;
        a >>= 1;
        a <<= 2;
        a >>>= 3;
        int d = a ^ b & c | ~a;
        boolean e = !(a == b);
    }

    void instanceInit() throws Exception {
        List<String> l = new ArrayList<>() {
            {
                add("a");
                add("b");
            }
        };
        l.size();
    }

    void classLiteral() throws Exception {
        Class<?> c = Cart.class;
        Class<?>[] cs = {Cart.class, int.class, int[].class, String[].class, Map.Entry.class,
        Cart.Builder.class};
        c.getName();
        Cart.class.getSimpleName().length();
        assertThrows(Sorry.class, () -> {
            throw new Sorry("a");
        });
    }

    void itself() throws Exception {
        this.cart = new Cart();
        this.cart.total();
        this.helper(1);
        (this).helper(1);
    }

    void castChain() throws Exception {
        ((Cart) other).total();
        ((Cart) other).first().name().length();
        int i = (int) 3.5;
        long l = (long) size * 2;
        char c = (char) i;
        Integer I = (Integer) other;
        String s = (String) other + 1;
        Runnable r = (Runnable & java.io.Serializable) () -> { };
    }

    void supArray() throws Exception {
        String[] row = this.mm.get("a")[0];
    }

    void recursionViaOverload() throws Exception {
        helper();
        helper(1);
    }

    void stringOps() throws Exception {
        String s = 1 + "a" + 'c' + null + 2.0;
        s += 1;
        s += 'c';
        s = s + cart;
        "a".equals(s);
        ("a" + s).length();
        s.chars().filter(c -> c == 'a').count();
        s.isBlank();
        String.join(",", "a", "b");
        String t = String.valueOf(new char[] {'a'});
        s.substring(1).toUpperCase().charAt(0);
    }

    void boxing() throws Exception {
        Integer i = 1;
        int j = i;
        long k = i;
        double d = i;
        Object o = j;
        List<Integer> li = List.of(1, 2);
        int z = li.get(0);
        li.contains(1);
        Long L = 5L;
        long l = L;
        Character c = 'a';
        int ci = c;
        boolean b = Boolean.TRUE;
        Boolean bb = true;
        num.l(i);
        num.d(i);
        num.i(c);
        num.n(L);
    }

    void enumMisc() throws Exception {
        Size s = Size.valueOf("SMALL");
        s.name();
        s.ordinal();
        s.compareTo(Size.LARGE);
        Size[] v = Size.values();
        Size.values()[0].inches();
        int n = Size.values().length;
        switch (s) {
            case SMALL: break;
            case LARGE: break;
        }
        EnumMap<Size, String> m = new EnumMap<>(Size.class);
        Size.SMALL.getDeclaringClass();
        Mode.shut.k();
    }

    void interfaces() throws Exception {
        int l = Shop.LIMIT;
        Shop s = Shop.make();
        s.close(null);
        s.cart().total();
        s.toString();
        s.hashCode();
        s.equals(null);
        Shop t = () -> cart;
        Shop u = Cart::new;
    }

    void protectedInherited() throws Exception {
        cart.shake();
        cart.isEmpty();
        new Sub().generic(1).total();
        cart.getClass().getName();
        cart.compareTo(cart);
        cart.hashCode();
    }

    void annotated() throws Exception {
        cart.annotated(one).price();
        cart.receiver(1);
        @SuppressWarnings("unchecked") List<Cart> l = (List<Cart>) other;
        @SuppressWarnings({"a", "b"}) int x = 1;
        final int y = 2;
        @Deprecated final Cart c = null;
        c.total();
    }

    void whileEtc() throws Exception {
        do {
            int x = 1;
        }
        while (size > 3);
        while (size-- > 0) { }
        while (size --> 0) ;
        for (;;) {
            break;
        }
        for (int i = 0, j = 1; i < j; i++, j--) { }
        synchronized (this) { }
        assert size > 0 : "a";
        if (size > 0) return;
        else throw new IllegalStateException("b");
    }

    void lombokField() throws Exception {
        bean.getX();
    }

    void localClass() throws Exception {
        class L {
            int v;
            L(int v) {
                this.v = v;
            }
            int twice() {
                return helper(v) * 2;
            }
        }
        L l = new L(1);
        l.twice();
        int q = l.v;
        L[] ls = {l, new L(2)};
    }

    void localClassNamedAsProject() throws Exception {
        class Item {
            int weird;
        }
        Item i = new Item();
        i.weird = 1;
        Item[] is = new Item[1];
        is[0].weird++;
    }

    void nestedGenericCallCmp() throws Exception {
        boolean b = many.size() < cart.total();
        boolean c = cart.size < K;
        boolean d = cart.total() < Cart.N;
        boolean e = Integer.MAX_VALUE > 3;
        boolean f = Integer.MAX_VALUE < 3;
        boolean g = Cart.N <= size;
        boolean h = Cart.N << 2 > 3;
    }

    void shadowedLambdaParam() throws Exception {
        BiConsumer<Item, Cart> f = (cart, item) -> {
            cart.price();
            item.total();
        };
        cart.total();
        item.price();
    }

    void dateTime() throws Exception {
        java.sql.ResultSet rs = null;
    }

    void methodRefThis() throws Exception {
        Function<Integer, Integer> f = this::helper;
        Runnable r = cart::total;
        Supplier<List<String>> s = ArrayList<String>::new;
        Function<String, Integer> g = String::length;
        many.sort(Comparator.comparingInt(Cart::total).thenComparing(Cart::hashCode));
    }

    void arrayOfGenerics() throws Exception {
        List<String>[] ls = new List[3];
        ls[0] = List.of();
        ls[0].size();
        Map<String, int[]> m = Map.of("a", new int[] {1});
        int k = m.get("a")[0];
    }

    void intArrayVarargAnon() throws Exception {
        int[] a = new int[] {1, 2}[0] > 0 ? null : new int[0];
        int b = new int[] {1, 2}[0];
        int c = new int[3].length;
        int d = new int[] {1}.length;
        int e = new String("a").length();
    }

    void charArith() throws Exception {
        char c = 'a';
        c += 1;
        int i = c - 'a';
        char d = (char) (c + 1);
        String s = "" + c;
        int[] counts = new int[26];
        counts[c - 'a']++;
        counts['b' - 'a'] = 2;
        counts[c]++;
        switch (c) {
            case 'a': case 'b': break;
        }
    }

    void unicodeDollar() throws Exception {
        int $x = 1;
        int _y = 2;
        int é = 3;
        int z = $x + _y + é;
    }

    void compareChainGenericLook() throws Exception {
        int a = 1, b = 2, c = 3;
        assertEquals(a < b, b > c);
        Cart.check(a < b, "x");
        Cart.check(helper(a < b ? 1 : 2) > 1, "");
        foo(a < b, c > a);
    }

    void explicitThisType() throws Exception {
        this.<Item>gen(one);
        Cart.<Item>listOf(one).size();
    }

    void yieldParen2() throws Exception {
        int r = switch (size) {
            case 1: yield (2);
            default: yield (3) + 1;
        };
    }

    void nestedOwnClassStatic() throws Exception {
        Helper h = new Helper(1);
        h.v++;
        In i = new In();
        int q = i.z;
    }

    void stringSwitch() throws Exception {
        switch ("a") {
            case "a" -> helper(1);
            default -> {
                helper(2);
            }
        }
        String z = switch (size) {
            case 1, 2 -> "x";
            default -> throw new IllegalStateException();
        };
    }

    void varNamedLikeMethod() throws Exception {
        int helper = 1;
        helper(helper);
        int total = cart.total();
        int length = "a".length();
        int record = 1;
        record++;
        int k = record + 1;
        int when = 2, sealed = when;
    }

    void castInCall() throws Exception {
        helper((int) 'a');
        helper((int) 3L);
        num.l((long) size);
        num.o((Object) "a");
        cart.add((Item) other, (int) 2L);
        helper(+1);
        helper(-size);
        helper(~size);
        helper(size++);
        helper(++size);
    }

    void anonInCall() throws Exception {
        cart.run(new Runnable() {
            public void run() { }
        });
        helper(new Cart() {
            public int total() {
                return 1;
            }
        }.total());
        many.add(new Cart("a") { });
    }

    void assignInCall() throws Exception {
        int x;
        helper(x = 3);
        Cart c;
        (c = cart).total();
        if ((x = helper(1)) > 2) { }
        while ((x = helper()) != 1) { }
    }

    void intDivString() throws Exception {
        String s = "a" + 1 + 'c';
        cart.save("a" + 1);
        cart.save(1 + "a");
        cart.save(size + "a");
        cart.save(null + "a");
        cart.save(cart + "a");
        cart.save('a' + "");
    }

    void n1FirstString() throws Exception {
        cart.save(1 + "a");
        cart.save(cart.total() + "a");
        cart.save(true + "x");
    }

    void boolLiteralFirst() throws Exception {
        Cart.flag(1 < 2);
        Cart.flag(1 == size);
        Cart.flag("a".equals("b"));
        Cart.flag("a" == null);
        Cart.flag(null == cart);
        Cart.flag('a' < 'b');
        Cart.flag(1L > 3);
    }

    void nullOverloads() throws Exception {
        num.I(null);
        num.o(null);
        num.cs(null);
        cart.save(null);
        Cart.names(null);
        Cart.conv((ext.Widget) null);
    }

    void throwsGeneric() throws Exception {
        Map<Character, Integer> m = new HashMap<>();
        m.put('a', 1);
        m.merge('a', 1, Integer::sum);
        m.getOrDefault('b', 0);
        int t = m.get('a') + 1;
        m.computeIfAbsent('c', k -> 1);
        for (char c : "ab".toCharArray()) {
            m.put(c, (int) c);
        }
    }

    void streams() throws Exception {
        List<Integer> l = many.stream().map(Cart::total).collect(java.util.stream.Collectors.toList());
        int s = many.stream().mapToInt(Cart::total).sum();
        double a = many.stream().mapToInt(Cart::total).average().orElse(0);
        long n = many.stream().count();
        Object[] os = many.toArray();
        Cart[] cs = many.toArray(new Cart[0]);
        Cart[] ds = many.stream().toArray(Cart[]::new);
        int[] is = java.util.stream.IntStream.range(0, 3).toArray();
        String j = many.stream().map(Object::toString).collect(java.util.stream.Collectors.joining(","));
    }

    void optional() throws Exception {
        java.util.Optional<Cart> o = many.stream().findFirst();
        int t = o.map(Cart::total).orElse(0);
        o.get().total();
        o.ifPresent(c -> c.total());
        String x = o.isPresent() ? "a" : "b";
    }

    void charTypes() throws Exception {
        char c = "abc".charAt(0);
        int d = "abc".charAt(0);
        long e = c;
        c = (char) d;
        assertEquals('a', "abc".charAt(0));
        String s = String.valueOf('c');
        String u = Character.toString('c');
        boolean b = Character.isDigit('1');
        int n = Character.getNumericValue('1');
        StringBuilder sb = new StringBuilder();
        sb.append('c').append(1).append("s").insert(0, 'x').reverse().toString();
        int ci = "abc".indexOf('b');
        String r = "abc".replace('a', 'b');
    }

    void bigdecimal() throws Exception {
        java.math.BigDecimal b = new java.math.BigDecimal("1.0");
        b.add(java.math.BigDecimal.ONE).setScale(2, java.math.RoundingMode.HALF_UP).doubleValue();
    }

    void math() throws Exception {
        int a = Math.abs(-1);
        long b = Math.round(2.5);
        int c = Math.round(2.5f);
        double d = Math.pow(2, 3);
        int e = (int) Math.pow(2, 3);
        int m = Math.max(1, 2);
        long mm = Math.max(1, 2L);
        double sq = Math.sqrt(4);
        int f = Math.floorMod(3, 2);
    }

    void thread() throws Exception {
        Thread t = new Thread(() -> helper(1));
        t.start();
        t.join();
        Thread.sleep(10);
        new Thread(cart::total).start();
        synchronized (cart) {
            cart.wait(1);
        }
        Object lock = new Object();
        lock.hashCode();
    }

    void genMethodChain() throws Exception {
        Comparator<Cart> c = Comparator.<Cart>naturalOrder().reversed();
        Map.Entry<String, Cart> e = Map.entry("a", cart);
        Entry<String, Cart> f = e;
        f.getValue().total();
        e.getKey().length();
    }

    void resultsetDate() throws Exception {
        java.sql.ResultSet rs = null;
        new Jdbc().rs.getDate("a").toLocalDate();
    }

    void overloadUnknownToo() throws Exception {
        Other o = null;
        int x = Cart.conv(o);
    }

    void overloadUnknown2() throws Exception {
        Other o = null;
        String x = Base.over("a", o);
        Base.over("a", o).length();
    }

    void nestedElsewhereInFile() throws Exception {
        new Order().item().name();
    }

    void methodTypeVar() throws Exception {
        Sub s = Order.pick(new Sub());
        Order.pick(new Sub()).shake();
    }

    void defaults() throws Exception {
        CC c = new CC();
        c.a();
        c.b();
        B1 b = c;
        b.a();
    }

    void enumWithInterface() throws Exception {
        Op.PLUS.applyAsInt(1, 2);
        Op p = Op.of("+");
        p.sign.length();
        Op.valueOf("PLUS").name();
        for (Op o : Op.values()) {
            o.sign.trim();
        }
    }

    void outerInner() throws Exception {
        Outer o = new Outer();
        Outer.In i = o.new In(1);
        i.i++;
        o.in().i = 2;
        Outer.St<String> s = new Outer.St<>("a");
        s.get().length();
        s.t.length();
        new Outer.St<Integer>(1).get().intValue();
        o.cb(x -> {
            int y = x;
        });
        o.cb(x -> helper(x));
    }

    void fieldsOfAllKinds() throws Exception {
        Counter c = new Counter();
        c.getC();
        Counter.total++;
        Counter.NAME.length();
        Counter.table[0]++;
        c.grid[0][1] = 2;
        c.names()[0].trim();
        int k = c.letter;
        long q = c.boxed;
        c.boxed++;
        c.letter += 1;
        int z = c.grid.length + c.grid[0].length;
        int u = c.names().length;
        c.grid = new int[2][];
        int[] row = c.grid[0];
        int w = this.cart.rows[0];
        String n = this.cart.first().name();
        int s1 = c.l.size();
    }

    void jdbc() throws Exception {
        new Jdbc().when().getTime();
        new Jdbc().fq().get(0).length();
    }

    void finalizeEtc() throws Exception {
        getClass();
        hashCode();
        toString().length();
        equals(null);
        notifyAll();
    }

    void genericArray() throws Exception {
        String[] s = arr("a");
        s[0].length();
        arr(1, 2)[0].intValue();
    }

    void bounded() throws Exception {
        Sub s = same(new Sub());
        same(new Sub()).generic(1);
        Size z = en(Size.class);
        Object o = en(Size.class).inches();
    }

    void fieldHidingLocalTypes() throws Exception {
        for (int cart2 = 0; cart2 < 3; cart2++) { }
        cart2.length();
    }

    void lambdaBlockLocalReuse() throws Exception {
        cart.run(() -> {
            int a = 1;
        });
        cart.run(() -> {
            int a = 2;
        });
        int a = 3;
        Runnable r = () -> {
            for (int i = 0; i < 2; i++) {
                int b = i;
            }
        };
        int b = 1;
        for (int i = 0; i < 3; i++) { }
        for (Cart i : many) { }
        int i = 2;
    }

    void tryNested() throws Exception {
        try {
            int a = 1;
        } catch (Exception e) {
            int a = 2;
        } finally {
            int a = 3;
        }
        try { } catch (Exception e) {
            try { } catch (Exception f) { }
        }
        Exception e = null;
    }

    void forComma() throws Exception {
        for (int i = 0, n = many.size(); i < n; ++i) { }
        int a, b;
        a = b = 1;
        int c = a, d = c, e2;
        for (a = 0, b = 1; a < b; a++, b--) { }
    }

    void arrayInitMixed() throws Exception {
        Cart[] cs = {cart, new Cart(), null, cart.first() == null ? cart : null, (Cart) other,
        new Cart() { }};
        int[] is = {1, 'a', size, helper(1), -1, +1, size++, (int) 2L};
        List<?>[] ls = {many, new ArrayList<String>()};
        Runnable[] rs = {() -> helper(1), cart::total};
        long[][] l = {{1, 2L}, new long[3]};
        Object[][] o = {{1, "a"}, { }};
        String[] s = {"a" + 1, null, "b".trim()};
        Object[] oo = {Cart.class, 'a'};
        float[] f = {1, 2f, 'c', 3L};
    }

    void stringFmt() throws Exception {
        String s = String.format("%d %s", 1, cart);
        "%s".formatted(1);
        System.out.println("a" + 1);
        System.out.printf("%d", 1);
        System.err.println();
        System.out.println('c');
        System.out.println(new char[] {'a'});
        System.getProperty("a", "b").length();
        int n = Integer.parseInt("1");
        double d = Double.parseDouble("1");
        long l = Long.parseLong("1");
        Integer.toString(1).length();
        Integer.valueOf(1).equals(1);
        boolean b = Boolean.parseBoolean("true");
    }

    void collections() throws Exception {
        List<Integer> l = new ArrayList<>(List.of(1, 2));
        l.add(3);
        l.add(0, 4);
        l.remove(0);
        l.remove(Integer.valueOf(3));
        l.addAll(List.of(1));
        l.sort(null);
        Collections.sort(l);
        l.toArray(new Integer[0]);
        l.iterator().next();
        l.subList(0, 1).clear();
        l.forEach(System.out::println);
        l.stream().mapToInt(Integer::intValue).max().getAsInt();
        java.util.Set<String> s = new java.util.HashSet<>(java.util.Arrays.asList("a", "b"));
        s.contains("a");
        java.util.Deque<Integer> q = new java.util.ArrayDeque<>();
        q.push(1);
        int p = q.pop();
        q.peekFirst();
        java.util.PriorityQueue<Integer> pq = new java.util.PriorityQueue<>((a, b) -> b - a);
        pq.offer(1);
        int t = pq.poll();
    }

    void exceptionsAreCaught() throws Exception {
        Exception e = assertThrows(Sorry.class, () -> cart.total());
        e.getMessage().length();
        e.getCause();
        throw new Sorry("a");
    }

    void assertthrowsTyped() throws Exception {
        Sorry e = assertThrows(Sorry.class, () -> {
            cart.total();
        });
        assertEquals("a", e.getMessage());
        try {
            cart.total();
            throw new AssertionError("x");
        } catch (Sorry s) {
            assertTrue(s.getMessage() == null);
        }
    }

    void condExprTypeMix() throws Exception {
        long l = size > 0 ? 1 : 2L;
        Object o = size > 0 ? "a" : 1;
        String s = size > 0 ? null : "b";
        char c = size > 0 ? 'a' : 98;
    }

    void switchExprInArg() throws Exception {
        helper(switch (size) {
            case 1 -> 2;
            default -> 3;
        });
        String s = switch (size) {
            case 1: yield "a";
            default: yield "b";
        };
    }

    void yieldCall() throws Exception {
        int r = switch (size) {
            case 1 -> {
                helper(1);
                yield helper(2);
            }
            default -> {
                yield cart.total();
            }
        };
    }

    void yieldVarOfField() throws Exception {
        int r = switch (size) {
            case 1 -> {
                yield size;
            }
            case 2 -> {
                yield size;
            }
            default -> {
                int q = 1;
                yield q;
            }
        };
    }

    void methodGenericRecv() throws Exception {
        many.stream().<String>map(c -> c.first().name()).toList();
        new ArrayList<Map<String, List<Integer>>>().size();
    }

    void brackets() throws Exception {
        (cart).total();
        ((cart)).first().name();
        int x = (1 + 2) * 3;
        boolean b = (size > 1) && (K < 3);
        ((Runnable) () -> { }).run();
        (size > 1 ? cart : new Cart()).total();
        new int[] {(1), (2)}.clone();
    }

    void staticNestedAccessThroughInstance() throws Exception {
        int z = cart.MAX_SIZE + Sub.MAX_SIZE;
        Sub.of();
        Sub.Builder bb = new Sub.Builder();
        Sub.check(true, null);
    }

    void instanceofInLoops() throws Exception {
        if (other instanceof Cart c && c.size > 1 || other instanceof Item) { }
        while (!(other instanceof Item it)) { }
        it.name();
    }

    void instanceofInLambda() throws Exception {
        many.stream().filter(x -> x instanceof Sub s && s.total() > 1).anyMatch(x -> x instanceof Sub s && s.total() > 2);
        boolean q = many.stream().anyMatch(x -> x instanceof Sub s && s.size > 1);
        boolean r = many.stream().anyMatch(x -> x instanceof Sub s && s.size > 1);
    }

    String returns() {
        if (size > 1) {
            return "a" + size;
        }
        return other instanceof Cart c ? c.first().name() : null;
    }

    boolean twoReturnsPattern(Object a) {
        if (size > 1) return a instanceof Cart c && c.size > 1;
        return a instanceof Item c && c.price() > 1;
    }

    <T extends Comparable<T>> T genericMethod(List<? extends T> xs, T... more) throws Exception {
        T best = xs.get(0);
        for (T x : more) {
            if (x.compareTo(best) > 0) best = x;
        }
        return best;
    }

    int cArrayParams(String args[], int n) {
        return args.length + args[0].length() + n;
    }

    <Item> void twoLetterTv(Item x, List<Item> xs) {
        Item y = xs.get(0);
        y.hashCode();
        String s = null;
        Item z = x;
    }

    @SuppressWarnings(value = "x") public final void annotations() throws IllegalStateException, java.io.IOException {
        @SuppressWarnings("unused") final int x = 1;
    }

    void receiverThis() {
        Runnable r = new Runnable() {
            public void run() {
                StatementsTest.class.getName();
                hello();
            }
            void hello() {
                this.run();
            }
        };
    }

    void outerThis() {
        new Object() {
            int cart = 1;
            void go() {
                cart++;
                helper(cart);
            }
        }.go();
        var o = new Object() {
            int n = 1;
        };
        o.n++;
    }

    void commentsAnywhere() throws Exception {
        cart /* a. */ . /* b */ total( /* none */ ) ;
        // x.y(
        int n /*c*/ = /* "d */ 1;
        cart
 .first()
 // hm
        .name()
 .length();
    }

    void escapeStrings() throws Exception {
        String s = "a\"b";
        char c = '\'';
        String t = "\\";
        t.length();
        char d = '"';
        String u = "'";
        u.length();
        char e = '\u0041';
        cart.save("\"");
    }

    void bigLits() throws Exception {
        long a = 9_000_000_000L, b = 0x7fff_ffffL;
        float f = 1f;
        double d = 1d, e = 1., g = 1e10;
        int h = 0xF, i = 0b1, j = 017;
        boolean k = 1e3 > 2;
        num.d(1.);
        num.d(.5f);
        num.l(1_0L);
        Object o = .5;
        Double z = 2.5;
    }

    void dimExprs() throws Exception {
        int[][] a = new int[3][];
        a[0] = new int[] {1};
        int[] b[] = {{1}};
        b[0][0] = 2;
        for (int[] r : a) {
            r[0]++;
        }
        for (int v : a[0]) {
            v++;
        }
    }

    void compoundTypes() throws Exception {
        Map.Entry<String, List<Cart>>[] es = null;
        es[0].getValue().get(0).total();
        java.util.Map.Entry<String, Integer> je = Map.entry("a", 1);
        je.getKey();
    }

    void staticCallOnGenericTypeExpr() throws Exception {
        List.of(1, 2).get(0).intValue();
        Map.of().size();
        List.<Integer>of().size();
    }

    void assertMsgLambda() throws Exception {
        assertThrows(IllegalStateException.class, () -> Cart.of(one).first().name().charAt(0));
        assertThrows(NullPointerException.class, () -> new Cart(null, 1));
        assertThrows(Sorry.class, cart::total);
        assertThrows(Sorry.class, Cart::new);
    }

    void enumSwitchConst() throws Exception {
        Size z = Size.SMALL;
        switch (z) {
            case SMALL, LARGE: helper(1);
        }
        int q = switch (z) {
            case SMALL -> {
                int t = 1;
                yield t;
            }
            case LARGE -> 2;
        };
    }

    void interfPrivate() throws Exception {
        Shop s = new Shop() {
            public Cart cart() {
                return cart2();
            }
            private Cart cart2() {
                return new Cart();
            }
        };
        s.cart().total();
    }

    void abstractWithArgs() throws Exception {
        new Shape(1) {
            int area() {
                return 2;
            }
        }.area();
        Shape s = new Shape(2) {
            int area() {
                return helper(1) + K;
            }
            {
                helper(2);
            }
        };
    }

    void nestedAnonGeneric() throws Exception {
        Comparator<Cart> c = new Comparator<Cart>() {
            @Override public int compare(Cart a, Cart b) {
                return a.total() - b.total();
            }
        };
        many.sort(new Comparator<>() {
            public int compare(Cart x, Cart y) {
                return 0;
            }
        });
        new Thread(new Runnable() {
            public void run() {
                int k = 1;
            }
        }).start();
    }

    void javaInner() throws Exception {
        java.util.AbstractMap.SimpleEntry<String, Integer> e = new java.util.AbstractMap.SimpleEntry<>("a",
        1);
        e.getKey();
        Thread.State st = Thread.State.NEW;
        st.name();
        Character.UnicodeBlock ub = null;
        Map.Entry<String, String> en = null;
        en.setValue("x");
        new HashMap<String, String>().entrySet().iterator().next().getKey();
    }

    void dao() throws Exception {
        DAO<Cart> dao = new DAO<>();
        dao.get().total();
    }

    void daoId() throws Exception {
        DAO.ID<Cart> id = new DAO.ID<>();
        id.hashCode();
        boolean b = DAO.LIMIT < 3;
    }

    void daoField() throws Exception {
        dao.get();
        List<DAO<Cart>> l = null;
        l.get(0).get();
        Map<String, DAO<Cart>> m = null;
        m.size();
    }

    void execAnon() throws Exception {
        Exception e = new java.util.concurrent.ExecutionException("x") { };
        throw new java.util.concurrent.CompletionException("x") { };
    }

    void abstractInterfaceJava() throws Exception {
        Runnable r = new Runnable() {
            public void run() { }
        };
        java.io.InputStream in = new java.io.InputStream() {
            public int read() {
                return -1;
            }
        };
        in.read();
    }

    void staticNestedTest() throws Exception {
        new Fix().with(2).n++;
        sh();
        sh(1, 2, 3);
        sh(new int[] {1});
    }

    void typesBeforeAConstructor() throws Exception {
        Helper h = new <String>Helper(1);
        int n = new <String, List<Cart>>Helper(2).v;
        List<Cart> all = new <Cart>ArrayList<Cart>();
        all.size();
    }
}
