extension TracePage {
    /// What stands still; the script fills it.
    static let body = """
        <h1 id="title"></h1>
        <p class="figures" id="figures"></p>
        <div class="tabs" role="tablist" id="tabs"></div>
        <main>
        <div>
        <section id="view-text" role="tabpanel" aria-labelledby="tab-text">
        <div class="legend" id="legend-text" aria-label="Probability of a token where it stands"></div>
        <div class="text" id="text" role="group" aria-label="The text; arrow keys go from token to token"></div>
        </section>
        <section id="view-lens" role="tabpanel" aria-labelledby="tab-lens" hidden>
        <p class="figures">What the model would say behind each token if it stopped after a layer: the likeliest
        one, in the stronger a color the surer it is. The last layer is the model's own output; layer 0 is the token alone.</p>
        <div class="legend" id="legend-lens" aria-label="Probability of what is shown"></div>
        <div class="scroll"><table class="grid" id="lens"></table></div>
        </section>
        <section id="view-attention" role="tabpanel" aria-labelledby="tab-attention" hidden>
        <p class="figures">Point at a token to see which tokens a head looked at when the model came to it.</p>
        <div class="choices">
        <label>Layer <select id="layer"></select></label>
        <label>Head <select id="head"></select></label>
        </div>
        <div class="text" id="attention" role="group" aria-label="The text; arrow keys go from token to token"></div>
        </section>
        </div>
        <aside id="panel" aria-live="polite"></aside>
        </main>
        <noscript>This page needs JavaScript, which it carries in itself.</noscript>
        """
}
