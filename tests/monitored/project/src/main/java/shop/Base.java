package shop;
import ext.Widget;
public class Base { protected static class Item { int inherited; Item(int a, int b, int c) {} } protected Item mine; int thing() { return 1; } protected <T extends Widget> T open() { return null; }
  static int over(String a, Widget w) { return 1; } static String over(String a, ext.Other w) { return null; } static class Deep extends Widget { } 
  void dflt(int... xs) {} int same(List2 a) { return 1; } }
class List2 { int size() { return 1; } }
interface A1 { default int a() { return 1; } } interface B1 extends A1 { int b(); } abstract class AB implements B1 { } class CC extends AB { public int b() { return a(); } }
enum Op implements java.util.function.IntBinaryOperator { PLUS("+") { public int applyAsInt(int a, int b) { return a + b; } }; final String sign; Op(String s) { sign = s; } static Op of(String s) { return PLUS; } }
class Outer { int o; class In { int i; In(int x) {} } static class St<T> { T t; St(T t) { this.t = t; } T get() { return t; } } In in() { return new In(1); } interface Cb { void on(int x) throws Exception; } void cb(Cb c) {} }
class Counter { private int c; int getC() { return c; } static int total; public static final String NAME = "x"; static int[] table = {1}; int[][] grid; String[] names() { return null; } char letter; Integer boxed; List2 l; }
