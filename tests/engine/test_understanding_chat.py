"""Ordinary sentences that hold command words, alone or after a request: none of them is a call of a tool."""

from datetime import UTC, datetime

import pytest

from engine.background.understanding.understand import Exchange, understand

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
BEFORE = (
    "What is twelve times six?",
    "Set a timer for ten minutes.",
    "What time is it in Paris?",
    "Add milk to my shopping list.",
    "What is the capital of Peru?",
    "How many feet in a mile?",
    "Take a note: the key is under the mat.",
    "Remind me to call mom at six.",
    "What does frugal mean?",
    "My name is Peter.",
    "What's my name?",
    "Read my notes.",
    "What's the date today?",
    "How many days until Christmas?",
)
CHAT = """
How is bread made?
I remember when time flies.
My alarm clock broke.
The timer on the oven is broken.
I set the table for four.
Set the record straight.
He set an example for us.
I need more time.
Give me some time.
It is time to go.
Time is money.
What time do you usually get up?
What time does the train leave?
What time did he call?
Once upon a time there was a king.
I have no time for that.
At that time I lived in Rome.
What a waste of time!
The first time I saw it I cried.
Date night was lovely.
I went on a date with Peter.
The dates in the cake were sweet.
It is out of date.
What is your date of birth?
I made a note of it in my diary.
She left a note on the fridge.
The last note of the song was too high.
Note that this is not easy.
Notes are for students.
My list of complaints is long.
He is on the list of suspects.
The shopping was exhausting.
I went shopping on Saturday.
I like shopping lists that are short.
Remind yourself to breathe.
You remind me of my brother.
That reminds me of a song.
That reminds me, I have to go to the bank.
I can't remember his name.
Remember the good old days?
Remember to be kind.
I forgot my umbrella.
Forget about him, he is not worth it.
I will never forget this day.
Cancel culture is a strange thing.
They cancelled my flight.
Why was my flight cancelled?
I want to cancel my subscription.
Stop being silly.
I can't stop laughing.
The bus stop is around the corner.
Convert to another religion?
He converted to Buddhism.
What is the capital of a company?
Capital punishment is wrong.
Capital letters are bigger.
I need capital to start a business.
What country would you like to visit?
Country music is my favourite.
In which country is life best?
What is the best country?
What is the currency of love?
Times have changed.
Times two people have said that.
I called him five times.
She has been there two or three times.
I ate half of the cake.
Half of them were late.
One plus of the job is the pay.
The plus side is that it is quiet.
I have mixed feelings about sums.
What is the difference between a frog and a toad?
What's the difference between five stars and four stars?
Divided we fall.
Minus the noise it was a good party.
The root of the problem is money.
What is the square root of evil?
To the power of love!
Add insult to injury.
Add me on the app.
It doesn't add up.
Adding salt makes it better.
Put yourself in my shoes.
Put the kettle on.
Put it on the table.
Put on some music.
Take your time.
Take a seat.
Take off your shoes.
Take care of yourself.
Take a picture of the sunset.
What does he mean?
What do you mean?
What is the meaning of this?
What does love mean to you?
I don't know what it means.
Define yourself in three words.
How do you spell trouble in this house?
The spell was broken.
The wizard cast a spell.
I'm under her spell.
How many people came to your party?
How many people are in the room?
How many friends do you have?
How many minutes late was the train?
How many miles did you run?
How many feet do spiders have?
How many days did it rain?
How many cups of coffee do you drink a day?
How long is a football match?
How long is the film?
How long is left in the match?
How far is it to the station?
How much is the ticket?
How much is that dog in the window?
How much time do we have?
How much do you weigh?
How old is the earth?
What is my purpose in life?
What is my problem?
What is my best option?
Who am I to judge?
What is in a name?
What's in the fridge?
What's on tonight?
What's on television?
What's on your mind?
What is on the other side of the moon?
Is there milk in the fridge?
Is it on?
Do I have to go?
Do I have time for a coffee?
Do I have anything to eat?
What have I got to lose?
Wake up, Maggie.
I woke up at six thirty this morning.
I get up at seven every day.
It rang at six.
My alarm went off at six today.
My alarm didn't go off.
The fire alarm went off yesterday.
There was a false alarm.
No alarm is as loud as a baby.
Alarm bells were ringing.
Timers are useful in the kitchen.
My kitchen timer is shaped like an egg.
I was ten minutes late.
It takes ten minutes.
Ten minutes ago it was raining.
I'll be there in ten minutes.
See you in an hour.
See you tomorrow at eight.
Let's meet on Friday at noon.
We are meeting on Thursday.
I have an appointment on the third of March.
My birthday was lovely.
Yesterday was my birthday.
It was his birthday on Monday.
Christmas is my favourite holiday.
Is Christmas fun?
What do people eat at Christmas?
When is dinner?
When is the concert?
When is it my turn?
When is the best time to plant tomatoes?
What day suits you?
What a day!
It is a nice day today.
Today is going to be great.
What is new today?
Is today a good day for a picnic?
Tomorrow is another day.
What are you doing tomorrow?
Read me a story.
Read my lips.
Read the news.
Tell me about notes in music.
Tell me about Paris.
Tell me about Kenya.
What is Paris like in spring?
What about the weather in Paris?
I am from Peru.
I love Japan.
I lived in Spain for two years.
France won the match.
Have you been to Norway?
Turkey is delicious with gravy.
Chile or Peru for our holiday?
Is Canada cold?
How big is the moon?
How tall is the tower?
Look at the time!
Look, I am tired.
Look it up.
Can you see the problem?
Do you see what I mean?
I see.
What do you see in her?
See if I care.
Take a screenshot of your life.
Show me the money.
My name is on the door.
Call me maybe.
Call me tomorrow.
Call me when you get there.
Call me a taxi.
Call my mother.
I am called upon to speak.
Write a poem.
Write to me soon.
Make a wish.
Make it stop.
Make it count.
Make me laugh.
Clear the table.
Clear your mind.
Remove the stain from my shirt.
Erase that from your memory.
Start the car.
Start again.
Start over.
Set it down.
Let it go.
Leave it.
No way.
No, I like tea.
No, it was a cat.
Actually, I like it.
Actually, that's funny.
I mean it.
I said no.
And then what happened?
And you?
And why?
What about you?
How about a walk?
In the end it was fine.
In my opinion it is too long.
One more time.
Once more.
Two of them left.
Double trouble.
Three cheers for the bride.
Four is company.
Seven is my lucky number.
Nine out of ten cats prefer it.
Fifty fifty.
A hundred percent!
I agree one hundred percent.
Thirty is the new twenty.
A pound of flesh.
An ounce of prevention is worth a pound of cure.
Give them an inch and they take a mile.
I would walk five hundred miles.
Miles away from home.
The second one is better.
Wait a second.
Just a second.
Give me a second.
Just a minute.
Hold on a minute.
Wait a minute.
How are you doing this morning?
I had a really long day at work.
Do you think it will rain later?
My sister is coming to visit us.
I just got back from the gym.
That was the best film I have seen.
Why do people like jazz so much?
I am not sure what to cook tonight.
My dog ate my homework again.
Let's talk about something else.
I used to live in a small village.
The train was late again today.
What do you think about football?
She told me a funny story yesterday.
I can't remember where I put it.
We are planning a trip to the mountains.
It takes a long time to learn the piano.
I was late because my alarm did not ring.
The list of people I know is short.
Time flies when you are having fun.
He asked me to note the difference.
I forgot to set the table.
Tell me a story about a dragon.
Who painted the ceiling of that chapel?
How does a fridge work?
Why is the grass green?
What makes bread rise?
Do you like music?
I think I left the lights on.
My friend bought a new car.
There are too many meetings this week.
I need to clean the kitchen.
Can you recommend a good book?
The weather has been lovely.
My back hurts when I sit too long.
What should I wear to the party?
I wish I could speak Italian.
Who won the match last night?
How far away is the moon?
Tell me a joke.
I'm bored, what should I do?
The children are asleep now.
You sound a bit different today.
What is the meaning of life?
I dreamed about flying last night.
My neighbour plays the drums at night.
How do airplanes stay in the air?
It was nice talking to you.
I am learning how to paint.
What is your favourite colour?
We went to the beach on Sunday.
The coffee here is terrible.
Did you hear that noise?
I have to call my mother.
That's a good point.
Why do cats sleep all day?
What happened in the news?
I am going to add some salt to the soup.
They cancelled the concert we wanted to see.
He is two heads taller than me.
"""
EARLIER = [(), *((Exchange(text, understand(text, (), NOW)),) for text in BEFORE)]


def test_the_requests_before_are_requests() -> None:
    assert all(earlier[0].call is not None for earlier in EARLIER[1:])


@pytest.mark.parametrize("text", CHAT.strip().splitlines())
def test_chat_is_no_request(text: str) -> None:
    taken = {earlier[0].text if earlier else "": understand(text, earlier, NOW) for earlier in EARLIER}
    assert {before: call for before, call in taken.items() if call is not None} == {}


@pytest.mark.parametrize(
    ("before", "text", "tool"),
    [
        ("Take a note: the key is under the mat.", "No, it was under the pot.", "note"),
        ("Take a note: the key is under the mat.", "Another: call Anna.", "note"),
        ("What's my name?", "It's Peter.", "remember"),
        ("My name is Peter.", "No, it's Paul.", "remember"),
        ("Add milk to my shopping list.", "No, it's oat milk.", "list"),
        ("Add milk to my shopping list.", "We also need eggs.", "list"),
        ("Set a timer for ten minutes.", "Give me another minute.", "more_time"),
        ("What time is it in Paris?", "And in Rome?", "time"),
        ("", "My birthday is on Christmas Eve.", "remember"),
        ("", "Remember to be at the station at six.", "remind"),
        ("", "Take a screenshot of my screen.", "screenshot"),
        ("", "Note that the plumber comes on Tuesday.", "note"),
    ],
)
def test_what_looks_alike_is_still_a_request(before: str, text: str, tool: str) -> None:
    earlier = [Exchange(before, understand(before, (), NOW))] if before else []
    call = understand(text, earlier, NOW)
    assert call is not None
    assert call.tool == tool
