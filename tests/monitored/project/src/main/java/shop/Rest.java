package shop;
class Bag { protected void shake() {} public boolean isEmpty() { return true; } }
enum Size { SMALL, LARGE; int inches() { return 1; } }
enum Mode { open, shut { int k() { return 2; } }; int k() { return 1; } }
record Item(String name, int price) {}
record Pair<A, B>(A left, B right) { static int COUNT = 1; Pair(A left) { this(left, null); } static <A> Pair<A, A> twice(A a) { return null; } }
abstract class Shape { abstract int area(); protected Shape(int x) {} }
class Sorry extends RuntimeException { Sorry(String why) { super(why); } }
interface Shop { int LIMIT = 3; Cart cart(); default void close(Cart cart) {} static Shop make() { return null; } }
class Box<Item> { Item held; Item get() { return held; } void put(Item x) {} }
class Num { void l(long x) {} void d(double x) {} void s(short x) {} void c(char x) {} void i(int x) {} void I(Integer x) {} void o(Object x) {} void n(Number x) {} void cs(CharSequence x) {} void cmp(Comparable<?> x) {} }
class Res implements AutoCloseable { public void close() {} }
class Sub extends Cart { @Override public Sub generic(Object o) { return this; } }
