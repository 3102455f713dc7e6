package shop;

import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;

class LambdasTest {
    Cart cart = new Cart();
    List<Cart> many;
    Item one;

    static void all(Runnable... runs) { }
    static <T> T got(Supplier<T> one) { return one.get(); }

    void sameNameInTwoBlocksOfACall() {
        all(() -> { int a = 1; a++; }, () -> { int a = 2; a++; });
        all(() -> { final int b = 1; }, () -> { for (int b = 0; b < 2; b++) { } }, () -> { int b; });
    }

    void sameNameInAChain() {
        many.stream().map(each -> { Item first = each.first(); return first.name(); })
            .filter(each -> { int first = each.length(); return first > 1; })
            .forEach(each -> { String first = each; });
        Map<String, Supplier<Integer>> map = Map.of(
            "a", () -> { int n = 1; return n; },
            "b", () -> { int n = 2; return n; });
    }

    void sameNameInAConditionAndBehindIt() {
        if (got(() -> { int y = 1; return y > 0; })) { int y = 2; y++; }
        while (got(() -> { int y = 1; return y > 2; })) { int y = 2; }
        int x = got(() -> { int y = 1; return y; }) + got(() -> { int y = 2; return y; });
    }

    void sameNameInTwoBodies() {
        all(new Runnable() { int n = 1; public void run() { int k = n; } },
            new Runnable() { public void run() { int n = 2; int k = n; } });
    }

    void parametersOutliveBracesOfTheirBody() {
        Function<Integer, Integer> f = got(() -> x -> new int[] {1, 2}[x] + x);
        all(() -> many.forEach(x -> new Cart() { }.add(x.first(), x.total())));
        Object o = got(() -> { Function<Integer, Integer> g = x -> { int y = x; return y; }; return g.apply(1); });
    }
}
