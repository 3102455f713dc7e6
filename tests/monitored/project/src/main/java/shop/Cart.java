package shop;
import java.util.List;
import ext.Widget;
import ext.Other;
public class Cart extends Bag implements Comparable<Cart> {
    public static final int MAX_SIZE = 10;
    public static final int N = 10;
    public int size;
    public int rows[];
    public Cart() {}
    public Cart(String owner, int... counts) {}
    public int total() { return 0; }
    public void add(Item item, int count) {}
    public Item first() { return null; }
    public void save(String file) throws java.io.IOException {}
    public static Cart of(Item... items) { return null; }
    public static void check(boolean ok, String why) {}
    public static void flag(boolean ok) {}
    public static void boxed(Double d) {}
    public static void much(Long d) {}
    public static void names(List<String> d) {}
    public static String conv(Widget a) { return null; }
    public static int conv(Other a) { return 1; }
    public void ints(int xs[]) {}
    public int[] arr() { return null; }
    public int compareTo(Cart other) { return 0; }
    public org.joda.time.Duration took() { return null; }
    public java.sql.Date sql() { return null; }
    public <Item> Item generic(Item one) { return one; }
    public static <T> List<T> listOf(T one) { return null; }
    public void bytes(byte[] b, char c, Object... more) {}
    public void receiver(Cart this, int x) {}
    public void run(Runnable r) {}
    public void apply(Function2 f) {}
    public interface Function2 { int f(int a, int b); }
    public @Deprecated Item annotated(final @Deprecated Item x) { return x; }
    public static class Builder { public Builder owner(String name) { return this; } public Cart build() { return null; } private int hid; }
}
