package org.llamaj.examples.demomodel;

import static java.awt.RenderingHints.KEY_ANTIALIASING;
import static java.awt.RenderingHints.VALUE_ANTIALIAS_ON;

import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.Shape;
import java.awt.geom.AffineTransform;
import java.awt.geom.Area;
import java.awt.geom.Ellipse2D;
import java.awt.geom.Path2D;
import java.awt.geom.Rectangle2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.TreeSet;
import java.util.stream.Collectors;
import javax.imageio.ImageIO;
import org.llamaj.Picture;

/**
 * Shapes in some of the nine places of a picture. Java2D paints them, at sizes that training never
 * saw: none of these pictures was made by the painter that the model learned from.
 */
record Scene(int width, int height, Color ground, List<Thing> things) {

  static final List<String> NUMBERS = List.of("None", "One", "Two", "Three", "Four");

  enum Form {
    CIRCLE,
    SQUARE,
    TRIANGLE,
    CROSS;

    /** Centred on 0, from about -1 to 1. */
    private Shape outline() {
      return switch (this) {
        case CIRCLE -> new Ellipse2D.Double(-0.95, -0.95, 1.9, 1.9);
        case SQUARE -> new Rectangle2D.Double(-0.85, -0.85, 1.7, 1.7);
        case TRIANGLE -> {
          Path2D path = new Path2D.Double();
          path.moveTo(0, -0.95);
          path.lineTo(0.9, 0.85);
          path.lineTo(-0.9, 0.85);
          path.closePath();
          yield path;
        }
        case CROSS -> {
          Area cross = new Area(new Rectangle2D.Double(-1, -0.3, 2, 0.6));
          cross.add(new Area(new Rectangle2D.Double(-0.3, -1, 0.6, 2)));
          yield cross;
        }
      };
    }
  }

  enum Hue {
    RED(220, 20, 30),
    GREEN(20, 180, 40),
    BLUE(30, 60, 220),
    YELLOW(245, 230, 30),
    ORANGE(250, 140, 20),
    PURPLE(135, 30, 160);

    private final Color colour;

    Hue(int red, int green, int blue) {
      colour = new Color(red, green, blue);
    }
  }

  /**
   * @param place 0 to 8, in reading order
   */
  record Thing(Hue hue, Form form, int place) {
    private static final List<String> PLACES =
        List.of(
            "at the top left",
            "at the top",
            "at the top right",
            "on the left",
            "in the middle",
            "on the right",
            "at the bottom left",
            "at the bottom",
            "at the bottom right");

    String name() {
      String colour = hue.name().toLowerCase(Locale.ROOT);
      String article = hue == Hue.ORANGE ? "an" : "a";
      return article + " " + colour + " " + form.name().toLowerCase(Locale.ROOT);
    }

    String where() {
      return PLACES.get(place);
    }
  }

  /** One to four shapes at random. */
  static Scene random(Random random) {
    int count = random.nextInt(1, 5);
    TreeSet<Integer> places = new TreeSet<>();
    while (places.size() < count) {
      places.add(random.nextInt(9));
    }
    List<Thing> things = new ArrayList<>();
    for (int place : places) {
      Hue hue = Hue.values()[random.nextInt(Hue.values().length)];
      Form form = Form.values()[random.nextInt(Form.values().length)];
      things.add(new Thing(hue, form, place));
    }
    int side = random.nextInt(200, 700);
    int other = random.nextInt(3) == 0 ? side * random.nextInt(70, 100) / 100 : side;
    boolean wide = random.nextBoolean();
    int grey = random.nextInt(160, 256);
    return new Scene(
        wide ? side : other,
        wide ? other : side,
        new Color(grey, grey, grey),
        things.stream().sorted(Comparator.comparingInt(Thing::place)).toList());
  }

  /** What the model was taught to say of it. */
  String description() {
    List<String> parts = things.stream().map(t -> t.name() + " " + t.where()).toList();
    String most = parts.stream().limit(parts.size() - 1L).collect(Collectors.joining(", "));
    return "%s shape%s: %s%s."
        .formatted(
            NUMBERS.get(things.size()),
            things.size() == 1 ? "" : "s",
            most.isEmpty() ? "" : most + " and ",
            parts.getLast());
  }

  /** The picture, as a PNG. */
  Picture paint(Random random) {
    BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    Graphics2D g = image.createGraphics();
    g.setRenderingHint(KEY_ANTIALIASING, VALUE_ANTIALIAS_ON);
    g.setColor(ground);
    g.fillRect(0, 0, width, height);
    for (Thing thing : things) {
      double cellWidth = width / 3.0;
      double cellHeight = height / 3.0;
      double radius = Math.min(cellWidth, cellHeight) * random.nextDouble(0.32, 0.45);
      AffineTransform at =
          AffineTransform.getTranslateInstance(
              (thing.place % 3 + 0.5) * cellWidth
                  + (cellWidth / 2 - radius) * random.nextDouble(-1, 1),
              (thing.place / 3 + 0.5) * cellHeight
                  + (cellHeight / 2 - radius) * random.nextDouble(-1, 1));
      at.rotate(random.nextDouble(-0.2, 0.2));
      at.scale(radius, radius);
      g.setColor(thing.hue.colour);
      g.fill(at.createTransformedShape(thing.form.outline()));
    }
    g.dispose();
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try {
      ImageIO.write(image, "png", bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return Picture.of(bytes.toByteArray());
  }
}
