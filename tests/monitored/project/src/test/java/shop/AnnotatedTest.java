package shop;

import ext.Marks;
import java.util.List;
import java.util.function.Function;

class AnnotatedTest {
    List<Cart> many;

    void parameters(@ext.Marks.Maybe String text, @Marks.Maybe final Cart cart, final @ext.Marks.Maybe(1) Item item,
                    @Marks.Maybe int... counts) {
        cart.total();
        int all = text.length() + counts.length + item.hashCode();
    }

    @ext.Marks.Maybe String result(@Deprecated @Marks.Maybe Cart cart) {
        return cart.toString();
    }

    void locals() {
        @ext.Marks.Maybe String text = "a";
        @Marks.Maybe Cart cart = new Cart();
        int sum = text.length() + cart.total();
        for (@ext.Marks.Maybe Cart each : many) { each.total(); }
        try { sum++; } catch (@Marks.Maybe RuntimeException e) { e.getMessage(); }
        Function<Cart, Integer> f = (@ext.Marks.Maybe Cart each) -> each.total();
    }

    void constants() {
        String none = Limit.NONE;
        int length = Limit.NONE.length();
    }

    void insideTypes() {
        String @ext.Marks.Maybe [] texts = {"a"};
        int n = texts.length;
        int @Marks.Maybe [] @Marks.Maybe(1) [] table = {{1}};
        n = table[0].length;
        List<@ext.Marks.Maybe String> all = null;
        Cart made = new ext.@Marks.Maybe Widget() == null ? null : new @Marks.Maybe Cart();
        made.total();
    }

    void variable(String @ext.Marks.Maybe ... texts) {
        int n = texts.length;
    }
}
