package org.llamaj.examples.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.llamaj.ChatSession;
import org.llamaj.Generation;
import org.llamaj.GenerationOptions;
import org.llamaj.GenerationStream;
import org.llamaj.LlamaModel;
import org.llamaj.SamplingOptions;
import org.llamaj.examples.demomodel.DemoModel;
import org.llamaj.tokenizer.chat.Message;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** What a stranger sees first: the built-in model at work. */
@Command(
    name = "demo",
    description = "Shows the built-in demo model at work.",
    footer = {"", "At a terminal you talk with it; elsewhere it plays a few prepared scenes."})
final class DemoCommand implements Callable<Integer> {
  private static final String VILLAGER =
      "You are Bruni, a grumpy blacksmith in Ironvale. You sell a sword for 12 gold coins, a shield"
          + " for 9 gold coins and a horseshoe for 2 gold coins. Your forge is next to the old"
          + " bridge. You heard that a dragon was seen over the northern hills.";

  private static final GenerationOptions GREEDY =
      GenerationOptions.defaults().withMaxTokens(200).withSampling(SamplingOptions.greedy());
  private static final GenerationOptions CREATIVE =
      GREEDY.withSampling(sampling -> sampling.withTemperature(0.7f).withSeed(3));

  @Spec private CommandSpec spec;

  @Option(names = "--scenes", description = "Play the prepared scenes at a terminal, too.")
  private boolean scenes;

  private PrintWriter out;
  private Ansi ansi;
  private int tokens;
  private double seconds;

  @Override
  public Integer call() throws IOException {
    out = spec.commandLine().getOut();
    ansi = spec.commandLine().getColorScheme().ansi();
    try (LlamaModel model = DemoModel.builder().load()) {
      if (scenes || !Terminal.isInteractive()) {
        playScenes(model);
      } else {
        talk(model);
      }
    }
    return 0;
  }

  private void talk(LlamaModel model) throws IOException {
    out.println(model.describe());
    note(
        """
        This tiny model was trained for the demo and lives in a village. Its facts stand in its
        system message; now it is Bruni, a grumpy blacksmith. Ask, for example:
          Who are you?   What do you sell?   How much for a sword and 2 horseshoes?   Any rumours?
          /system You are a storyteller.   and then   Tell me a story about a brave fox.
        /help lists commands, /bye ends.
        """);
    new ChatLoop(
            model,
            model.chat().options(GREEDY),
            Optional.of(VILLAGER),
            List.of(),
            spec.commandLine(),
            Terminal.lines(),
            true)
        .run();
  }

  private void playScenes(LlamaModel model) {
    note(
        """
        A language model of 3.5 million parameters, running in this JVM. Everything after 'model:'
        is generated, token by token, as you see it.
        """);
    note("1. A villager. All it knows stands in the system message.");
    scene(
        model,
        Optional.of(VILLAGER),
        GREEDY,
        "Who are you?",
        "How much for a sword and a shield?",
        "Any rumours?",
        "My name is Alice.",
        "What is my name?");
    note("2. A story, with some chance in the choice of words (temperature 0.7).");
    scene(model, Optional.empty(), CREATIVE, "Tell me a story about a brave fox.");
    note("3. A sum, and an object in JSON.");
    scene(
        model,
        Optional.of("You are Elda, the kind herbalist of Greenhollow. You like riddles."),
        GREEDY,
        "What is 23 + 48?",
        "Describe yourself as JSON with name, role, mood, likes.");
    note(
        String.format(
            Locale.ROOT,
            """
            %d tokens in %.1f seconds, %.0f per second.

            llama demo at a terminal lets you talk to it; llama chat --model FILE.gguf runs a model
            of your own.
            """,
            tokens,
            seconds,
            tokens / seconds));
  }

  private void scene(
      LlamaModel model, Optional<String> system, GenerationOptions options, String... questions) {
    var chat = model.chat().options(options);
    system.ifPresent(text -> say("system", text));
    try (ChatSession session = system.map(chat::system).orElse(chat).open()) {
      for (String question : questions) {
        say("user", question);
        out.print(label("model"));
        try (GenerationStream stream = session.stream(Message.user(question))) {
          Generation answer = Streaming.print(stream, out);
          tokens += answer.timings().generatedTokens();
          seconds += answer.timings().generation().toNanos() / 1e9;
        }
        out.println();
      }
    }
    out.println();
  }

  private void say(String who, String text) {
    out.println(label(who) + text);
  }

  private String label(String who) {
    return ansi.string("@|bold %-7s|@ ".formatted(who + ":"));
  }

  private void note(String text) {
    text.lines().forEach(line -> out.println(ansi.string("@|faint " + line + "|@")));
    out.println();
  }
}
