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

class CloneNoCloneableTest {
    Cart cart = new Cart(); Item one, two; Object other; List<Cart> many; Item item; Map<String, Cart> carts; Num num = new Num(); int size; static final int K = 3;
    int helper(int x) { return x; } int helper() { return 1; }

    @Test
    void cloneNoCloneable() throws Exception {
        Object o = clone();
        Object p = this.clone();
    }
}
