package shop;
import java.util.List;
public class Order { public Item item() { return null; } public List<Item> all() { return null; }
  static class Line { static class Item { int deep; } } 
  static <K extends Cart, Item extends Cart> Item pick(Item i) { return i; } }
